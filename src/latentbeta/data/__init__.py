"""Prices: reading, checking, adjusting and storing them."""
