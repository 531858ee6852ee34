"""Figures of attempts over time: counted, packed, rolled up."""
