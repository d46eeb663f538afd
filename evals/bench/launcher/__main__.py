"""`python -m evals.bench.launcher`: the figures of `docs/operations.md`, measured on this machine.

Callers are processes of their own on the same cores. What a caller itself was late is taken off the gaps between its
frames. The recogniser, answerer and voice are the embedded ones; no vendor is in the path.
"""

import argparse
import asyncio
import json

import psutil
from loguru import logger
from rich.console import Console
from rich.table import Table

from evals.bench.launcher import measures
from evals.bench.machine import machine
from evals.bench.servers import data_dir
from evals.program import Jarvis

MEASURES = {
    each.__name__: each
    for each in (measures.starts, measures.kills, measures.server, measures.leak, measures.overload, measures.drain)
}


async def measure(names: list[str], runs: int, console: Console) -> list[measures.Row]:
    """The rows of these measures, each printed as soon as it is known."""
    rows: list[measures.Row] = []
    with data_dir() as path:
        first = Jarvis(path)
        await asyncio.to_thread(first.start)
        await asyncio.to_thread(first.stop)
        for name in names:
            async for row in MEASURES[name](path, runs):
                console.print(f"{row.name}: {row.value}", highlight=False)
                rows.append(row)
    return rows


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.launcher", description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="starts, and kills; sessions are ten times as many (20)")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES), help="these measures alone")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args()
    logger.remove()
    try:
        rows = asyncio.run(measure(options.only, options.runs, Console(stderr=True)))
    finally:
        for left in psutil.Process().children():  # the server and the callers of a measure that failed
            left.terminate()
    if options.json:
        print(json.dumps({"machine": str(machine()), "figures": {row.name: row.value for row in rows}}))
        return
    table = Table(
        "figure", "value", title=f"{machine()}; embedded recogniser, answerer and voice", title_justify="left"
    )
    for row in rows:
        table.add_row(row.name, row.value)
    Console().print(table)


if __name__ == "__main__":
    main()
