"""Peers that the product is measured beside: the shortest programs that do a part of its work."""
