"""A headless caller: it speaks to a running Jarvis, listens, and measures what a caller would hear."""
