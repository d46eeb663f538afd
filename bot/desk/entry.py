"""What a forked desk runs first. It names the process' main without loading it, so that the server stays small."""

import os
import signal
import socket
import sys


def main(channel: socket.socket) -> None:
    """Serve as `python -m bot.desk.process` does, with `channel` in the place of stdin and stdout."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (0, 1):
        os.dup2(channel.fileno(), number)
    channel.close()
    sys.stdin, sys.stdout = os.fdopen(0, "r"), os.fdopen(1, "w")

    from bot.desk.process import ProcessSettings, serve
    from knowledge.child import run_child

    run_child(serve, ProcessSettings)
