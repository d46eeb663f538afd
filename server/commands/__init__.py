"""The verbs of `jarvis`, one file each."""
