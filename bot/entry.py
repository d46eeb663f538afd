"""What a forked bot runs first. It names the process' main without loading it, so that the server stays small."""

from knowledge.logs import LogSettings


def main(socket_path: str, memory_mb: int, log: LogSettings) -> None:
    """Serves one session on the control socket at `socket_path`, with so much memory of its own at most."""
    from bot import process

    process.main(socket_path, memory_mb, log)
