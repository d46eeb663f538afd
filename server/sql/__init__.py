"""The SQL of what the server keeps: keys and calls."""

SERVER = __name__
