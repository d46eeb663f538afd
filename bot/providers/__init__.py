"""Vendors: one tagged settings class each, with `build()`. The first of each union is what runs without a key."""
