"""Vendors that fail in real calls: what callers hear of it."""
