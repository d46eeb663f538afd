"""The doubles' process, as the drill talks to it."""

import asyncio
import sys
from pathlib import Path

import pytest

from evals.drill import doubles as module
from evals.drill.doubles import Doubles, doubles
from evals.drill.errors import DrillError

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"


async def test_each_answer_reaches_who_asked_for_it():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-S", "-c", ECHO, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    served = Doubles(process, {})
    listening = asyncio.create_task(served.listen())
    first, second = served.tell(count=1), served.tell(count=2)
    assert (await second, await first) == ({"count": 2}, {"count": 1})
    lost = served.tell(count=3)
    process.stdin.close()
    await listening
    await process.wait()
    assert lost.done()


async def test_without_the_source_there_is_no_drill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "ROOT", tmp_path)
    with pytest.raises(DrillError, match="source"):
        async with doubles([]):
            pass
