"""Vendors: one tagged settings class each, with `build()` and the modules to `preload` for it.

The first of each union is what runs without a key.
"""
