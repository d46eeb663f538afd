"""Calls that test calls."""
