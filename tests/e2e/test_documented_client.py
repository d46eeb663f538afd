"""Calls by the client of `docs/audio-ingest.md`, run as it stands there."""

import asyncio
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evals.documented import Held, hold
from evals.program import RECORDINGS, Jarvis

pytestmark = pytest.mark.e2e

MEMBERSHIP, RENTAL, REFUNDS = "q18", "q14", "q01"
WAIT_SECS = 20.0


def recording(question: str) -> Path:
    return RECORDINGS / "slt" / f"{question}.flac"


def converse(
    jarvis: Jarvis, artifacts: Path, questions: Sequence[str], interrupting: Sequence[str], **sound: Any
) -> Held:
    """Questions whose answers are heard out, then one that is asked over the answer to another."""
    return asyncio.run(
        hold(
            jarvis.url,
            [recording(question) for question in questions],
            interrupting=[recording(question) for question in interrupting],
            wav_out=artifacts / "call.wav",
            **sound,
        )
    )


def types(held: Held) -> list[str]:
    return [message["type"] for message in held.messages]


@pytest.mark.parametrize(
    ("facts", "sound"),
    [
        ({MEMBERSHIP: ("49 dollars", "membership.md"), RENTAL: ("70 dollars", "rental.md")}, {}),
        ({RENTAL: ("70 dollars", "rental.md")}, {"opus": True, "rate_hz": 48_000}),
    ],
    ids=["pcm", "opus"],
)
def test_the_documented_client_holds_a_whole_conversation(
    jarvis: Jarvis, artifacts: Path, facts: dict[str, tuple[str, str]], sound: dict[str, Any]
):
    held = converse(jarvis, artifacts, list(facts), [REFUNDS, MEMBERSHIP], **sound)
    report = held.report
    (artifacts / "report.json").write_text(json.dumps(report.to_json(), indent=1))
    *answered, interrupted, after = report.turns
    assert types(held)[0] == "bot-ready"
    assert report.greeting is not None
    assert report.greeting.said.startswith("Hello, this is Jarvis")
    for turn, (fact, source) in zip(answered, facts.values(), strict=True):
        assert fact in turn.said
        assert turn.citations[0].source == source
    assert interrupted.yield_ms is not None
    assert interrupted.yield_ms <= 300
    assert after.citations[0].source == "membership.md"
    assert "user-transcription" in types(held)
    assert (held.close_code, held.close_reason, report.errors) == (1000, "hang_up", ())
    assert end_reason(jarvis, report.session_id) == "hang_up"


def test_at_8_khz_a_conversation_goes_to_its_end(jarvis: Jarvis, artifacts: Path):
    # The two questions of these that the embedded recogniser understands at this rate; the apology to one that it does
    # not is over before it can be interrupted.
    held = converse(jarvis, artifacts, [MEMBERSHIP], [RENTAL, MEMBERSHIP], rate_hz=8_000)
    _, interrupted, _ = held.report.turns
    assert all(turn.answered for turn in held.report.turns)
    assert sum(bool(turn.citations) for turn in held.report.turns) >= 2
    assert interrupted.yield_ms is not None
    assert interrupted.yield_ms <= 300
    assert held.close_code == 1000


def end_reason(jarvis: Jarvis, session_id: str) -> str:
    """Why the call ended, as the server logs it a moment after the caller has hung up."""
    deadline = time.monotonic() + WAIT_SECS
    while time.monotonic() < deadline:
        if told := re.search(rf"session {session_id} ended: (\w+)", jarvis.log.read_text(errors="replace")):
            return told[1]
        time.sleep(0.05)
    raise AssertionError("the call did not end")
