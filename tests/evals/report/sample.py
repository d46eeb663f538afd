"""Results of made-up runs, as `jarvis eval run` leaves them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

RATE_HZ = 48_000
HEADER = {
    "version": 1,
    "created": "2026-11-28T07:00:00Z",
    "machine": {"cpu": "AMD EPYC 7R13", "cores": 2, "memory_gb": 3.8, "python": "3.11.9"},
    "providers": "doubles",
    "jarvis": "0.1.0",
    "git": "0e0eaf5",
    "repeat": 3,
    "tiers": ["text", "audio"],
}
FAILURE = {
    "turn": 1,
    "check": "x_supported",
    "reason": "“fourteen days” stands in no passage that the answer cites",
    "file": "evals/suite/returns.yaml",
    "line": 23,
}


def turn(**fields: Any) -> dict[str, Any]:
    """A turn that was answered, with other fields where they are named."""
    return {
        "user": "How long may I return a lamp?",
        "heard": "how long may i return a lamp",
        "said": "You may return it within thirty days. That's from the returns policy.",
        "sources": ["Returns policy"],
        "passages": ["Returns policy", "Warranty"],
        "v2v_ms": 812.5,
        "yield_ms": None,
        "longest_gap_ms": 140.0,
    } | fields


def run(name: str = "returns/single_fact", **fields: Any) -> dict[str, Any]:
    """A run that passed, with other fields where they are named without their `x_`."""
    ours = {
        "tier": "audio",
        "run": 1,
        "status": "passed",
        "providers": "doubles",
        "file": "evals/suite/returns.yaml",
        "session": "s-4f1c",
        "failures": [],
        "turns": [turn()],
        "timeline": [],
        "audio": None,
    } | fields
    return {
        "scenario_name": name,
        "passed": ours["status"] == "passed",
        "failures": [],
        "turns": [],
        "duration_ms": 9_400,
        "events_seen": [],
        "debug_log": ["   0.002  [ --]  connected"],
        "skipped": None,
    } | {f"x_{key}": value for key, value in ours.items()}


def timeline() -> list[dict[str, Any]]:
    """A greeting, a question, an answer, and a voice that fails in it."""
    spans = [
        ("bot", 300, 2100, "Hello, this is Jarvis. How can I help?"),
        ("tts", 120, 900, "greeting"),
        ("caller", 2900, 4700, "How long may I return a lamp?"),
        ("vad", 2950, 4800, "speaking"),
        ("turn", 2950, 5000, "caller's turn"),
        ("stt", 4700, 5000, "how long may i return a lamp"),
        ("retrieval", 5000, 5040, "Returns policy, Warranty"),
        ("llm", 5040, 5700, "first token after 210 ms"),
        ("tts", 5260, 5600, "first sentence"),
        ("tts", 5500, 6400, "second sentence"),
        ("fault", 5550, None, "tts: stall"),
        ("bot", 5512, 8200, "You may return it within thirty days."),
    ]
    return [{"lane": lane, "from_ms": begin, "to_ms": end, "label": label} for lane, begin, end, label in spans]


def write(path: Path, *runs: dict[str, Any], header: dict[str, Any] | None = HEADER, rest: bytes = b"") -> Path:
    """A results.jsonl; `rest` is what stands after its last whole line."""
    lines = ([{"x_header": header}] if header is not None else []) + [*runs]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{json.dumps(line)}\n" for line in lines).encode() + rest)
    return path


def record(path: Path, *, secs: float = 8.5, voiced: Sequence[dict[str, Any]] | None = None) -> Path:
    """A WAV with a tone wherever the timeline has the caller (left) or the bot (right) speak."""
    samples = np.zeros((round(secs * RATE_HZ), 2))
    for span in timeline() if voiced is None else voiced:
        if span["lane"] in ("caller", "bot"):
            begin, end = (round(span[key] * RATE_HZ / 1000) for key in ("from_ms", "to_ms"))
            at = np.arange(end - begin) / RATE_HZ
            syllables = 0.25 * (1.2 + np.sin(2 * np.pi * 4 * at)) * np.sin(2 * np.pi * 180 * at)
            samples[begin:end, ("caller", "bot").index(span["lane"])] = syllables
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, samples, RATE_HZ, subtype="PCM_16")
    return path
