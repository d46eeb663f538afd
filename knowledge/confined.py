"""Processes for what foreign input may break: started bare, bounded by the kernel, ended for certain."""

import asyncio
import os
import resource
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress

MAX_OPEN_FILES = 64
# The child ends with this code when its input takes more memory than it may have.
OUT_OF_MEMORY = 3


def confine(*, memory_bytes: int, cpu_secs: int | None = None) -> None:
    """Bound what this process may take: memory, open files, CPU where it is said; no files written, no core dumps."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_OPEN_FILES, MAX_OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if cpu_secs is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_secs, cpu_secs))


async def start_confined(module: str, *arguments: str) -> Process:
    """Start a module that reads its stdin and answers on its stdout.

    It has no environment variables of this process, and what it writes to stderr is dropped, as that could be text of
    its input.
    """
    # The paths are this process', as the child finds none in an environment of its own.
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONUTF8": "1"}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment
    )


async def kill(child: Process) -> int:
    """End a child at once, and return its exit code."""
    with suppress(ProcessLookupError):
        child.kill()
    return await child.wait()
