"""How the server and its commands log; the lines themselves are made in `knowledge/logs.py`, for every process."""

from knowledge import logs


def configure(level: logs.Level, log_format: logs.LogFormat = "text") -> None:
    """Sends this process' log lines, and those of its libraries, to stderr."""
    logs.configure(logs.LogSettings(level=level, format=log_format))
