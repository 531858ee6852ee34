"""Reads segments and searches them. Every call blocks."""
