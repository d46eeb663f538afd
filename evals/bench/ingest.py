"""`python -m evals.bench.ingest`: calls by websocket beside calls by WebRTC, measured on this machine, turn about.

Voice to voice and barge-in on the recorded audio; the websocket's caller is the client of `docs/audio-ingest.md`. CPU
is of the bot and of the server, while the caller is silent.
"""

import argparse
import asyncio
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from loguru import logger
from rich.console import Console
from rich.table import Table

from evals.bench.capacity import GREETING_SECS, SETTLE_SECS, WINDOW_SECS
from evals.bench.machine import machine
from evals.bench.servers import data_dir
from evals.bench.turns import QUESTIONS
from evals.caller.ingress import Ingress
from evals.caller.line import WebRtcLine
from evals.documented import CLIENT, PATIENCE_SECS, ProgramLine, documented, hold, opus_halves
from evals.program import RECORDINGS, Jarvis

ASKED = QUESTIONS["embedded"][:9]
TURNS_A_CALL = 3
INTERRUPTED, INTERRUPTING = "q14", "q18"
BARGE_IN_SECS = 1.5
SOUNDS: dict[str, dict[str, Any]] = {
    "websocket, PCM 16 kHz": {"rate_hz": 16_000},
    "websocket, PCM 8 kHz": {"rate_hz": 8_000},
    "websocket, Opus": {"rate_hz": 48_000, "opus": True},
}
WEBRTC = "WebRTC"

HangUp = Callable[[], Awaitable[None]]
SilentCall = Callable[[Jarvis], Awaitable[HangUp]]


@dataclass
class Row:
    """What calls of one kind came to: milliseconds, percent of a core, MB."""

    v2v_ms: list[float] = field(default_factory=list)
    yield_ms: list[float] = field(default_factory=list)
    bot_percent: float = 0.0
    server_percent: float = 0.0
    private_mb: float = 0.0

    def take(self, turns: Sequence[Any]) -> None:
        """Adds what the turns of a report came to."""
        told = [turn if isinstance(turn, dict) else vars(turn) for turn in turns]
        self.v2v_ms += [turn["v2v_ms"] for turn in told if turn["v2v_ms"] is not None]
        self.yield_ms += [turn["yield_ms"] for turn in told if turn["yield_ms"] is not None]


def recording(question: str) -> Path:
    """The recording of this question."""
    return RECORDINGS / "slt" / f"{question}.flac"


def converse(jarvis: Jarvis, rows: dict[str, Row], *, barge_ins: int, folder: Path) -> None:
    """Nine questions in three calls, and calls with a barge-in, of each kind in turn."""
    groups = [ASKED[first : first + TURNS_A_CALL] for first in range(0, len(ASKED), TURNS_A_CALL)]
    for group in groups:
        rows[WEBRTC].take(jarvis.call(*group, out=folder / "call.wav")["turns"])
        for name, sound in SOUNDS.items():
            rows[name].take(asyncio.run(hold(jarvis.url, [recording(q) for q in group], **sound)).report.turns)
    pair = (INTERRUPTED, INTERRUPTING)
    for _ in range(barge_ins):
        options = ("--barge-in", str(BARGE_IN_SECS))
        rows[WEBRTC].take(jarvis.call(*pair, out=folder / "call.wav", options=options)["turns"])
        for name, sound in SOUNDS.items():
            over = [recording(question) for question in pair]
            held = asyncio.run(hold(jarvis.url, [], interrupting=over, barge_in_secs=BARGE_IN_SECS, **sound))
            rows[name].take(held.report.turns)


async def cost(jarvis: Jarvis, row: Row, silent_call: SilentCall) -> None:
    """A call whose caller says nothing, once its greeting is over."""
    hang_up = await silent_call(jarvis)
    try:
        await asyncio.sleep(GREETING_SECS + SETTLE_SECS)
        bot = await asyncio.to_thread(_only_bot, jarvis)
        row.bot_percent, row.server_percent = await asyncio.gather(_percent(bot), _percent(jarvis.process))
        row.private_mb = bot.memory_full_info().uss / 2**20
    finally:
        await hang_up()


def _only_bot(jarvis: Jarvis) -> psutil.Process:
    overview = jarvis.request("GET", "/api/ingress/sessions", token=jarvis.operator_key())[1]
    (call,) = overview["sessions"]
    return jarvis.bot_of(call["id"])


async def _percent(process: psutil.Process) -> float:
    process.cpu_percent()
    await asyncio.sleep(WINDOW_SECS)
    return process.cpu_percent()


async def _by_webrtc(jarvis: Jarvis) -> HangUp:
    line, http = WebRtcLine(only_loopback=True), aiohttp.ClientSession()
    ingress = Ingress(base_url=jarvis.url, http=http)
    session = await ingress.create()
    await line.connect(lambda offer: ingress.offer(session, offer))

    async def hang_up() -> None:
        await ingress.hang_up(session)
        await line.close()
        await http.close()

    return hang_up


def _by_websocket(sound: dict[str, Any]) -> SilentCall:
    async def silent_call(jarvis: Jarvis) -> HangUp:
        client = documented(CLIENT)
        vars(client)["PATIENCE_SECS"] = PATIENCE_SECS
        line = ProgramLine(rate_hz=sound["rate_hz"], loudspeaker=client.Loudspeaker(sound["rate_hz"]))
        codec = opus_halves() if sound.get("opus") else {}
        calling = asyncio.create_task(client.call(jarvis.url, line, line, hear=line.hear, **codec))

        async def hang_up() -> None:
            line.hang_up()
            await calling

        return hang_up

    return silent_call


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.ingest", description=__doc__)
    parser.add_argument("--barge-ins", type=int, default=4, help="calls with a barge-in of each kind (4)")
    options = parser.parse_args()
    logger.remove()
    rows = {name: Row() for name in (WEBRTC, *SOUNDS)}
    with data_dir() as folder, Console(stderr=True).status("measuring"):
        jarvis = Jarvis(folder)
        jarvis.start()
        try:
            asyncio.run(cost(jarvis, rows[WEBRTC], _by_webrtc))
            for name, sound in SOUNDS.items():
                asyncio.run(cost(jarvis, rows[name], _by_websocket(sound)))
            converse(jarvis, rows, barge_ins=options.barge_ins, folder=folder)
        finally:
            jarvis.stop()
    table = Table(title=f"{machine()}; embedded recogniser, answerer and voice", title_justify="left")
    for column in ("calls by", "v2v ms p50 (min to max)", "barge-in ms", "bot CPU %", "server CPU %", "private MB"):
        table.add_column(column)
    for name, row in rows.items():
        cells = (_spread(row.v2v_ms), _spread(row.yield_ms), row.bot_percent, row.server_percent, row.private_mb)
        table.add_row(name, *(each if isinstance(each, str) else f"{each:.1f}" for each in cells))
    Console().print(table)


def _spread(values: Sequence[float]) -> str:
    if not values:
        return ""
    return f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f}), {len(values)}"


if __name__ == "__main__":
    main()
