"""What Jarvis says by itself, a file for each language."""
