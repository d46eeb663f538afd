"""Scripted conversations that are held with the real bot, and judged by rules."""
