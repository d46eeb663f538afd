"""What can't be had over a line is told by its line."""

from pathlib import Path

import pytest

from evals.scenarios.lint import lint
from tests.evals.scenarios.given import read_text

HEAD = "name: tried\nx_jarvis: {version: 1, knowledge: documents, tiers: [%s]}\n"
TURN = "turns:\n  - user: Hello.\n    expect: [{event: response}]\n"


def told(folder: Path, text: str, *, tiers: str = "audio") -> list[tuple[int, str]]:
    whole = HEAD % tiers + "scenarios:\n  - name: one\n" + "".join(f"    {line}\n" for line in text.splitlines())
    return [(each.place.line, each.text) for each in lint(read_text(folder, whole))]


@pytest.mark.parametrize(
    "audio",
    [
        "{codec: g711}", "{loss: 5%, burst: 2}", "{jitter_ms: 60}", "{gain_db: -12}",
        "{noise: {kind: babble, snr_db: 10}, seed: 7}",
    ],
)  # fmt: skip
def test_a_bad_line_is_in_order_where_something_is_spoken(tmp_path: Path, audio: str):
    for tiers in ("audio", "webrtc", "audio, webrtc"):
        assert told(tmp_path, f"x_audio: {audio}\n{TURN}", tiers=tiers) == []


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        ("{codec: opus}", "x_audio.codec: input should be 'g711'"),
        ("{loss: 5}", "x_audio.loss: input should be a valid string"),
        ("{loss: 80%}", "x_audio.loss: it is above 0% and at most 50%"),
        ("{burst: 2, gain_db: 3}", "`burst` is of `loss`"),
        ("{los: 5%}", "x_audio.los: there is no such key"),
        ("{jitter_ms: 900}", "x_audio.jitter_ms: input should be less than or equal to 500"),
        ("{noise: {kind: rain, snr_db: 10}}", "x_audio.noise.kind: input should be"),
        ("{noise: {kind: white}}", "x_audio.noise.snr_db: it is missing"),
        ("{seed: 3}", "x_audio: it changes nothing"),
    ],
)
def test_a_line_that_there_is_not_is_told(tmp_path: Path, audio: str, reason: str):
    ((line, text),) = told(tmp_path, f"x_audio: {audio}\n{TURN}")
    assert line == 5
    assert reason in text


def test_what_is_typed_is_not_degraded(tmp_path: Path):
    assert told(tmp_path, f"x_audio: {{codec: g711}}\n{TURN}", tiers="text, audio") == [
        (5, "x_audio is of a spoken call: write `tiers: [audio]`")
    ]


def test_there_is_no_telephone(tmp_path: Path):
    ((line, text),) = told(tmp_path, TURN, tiers="sip")
    assert line == 2
    assert "no telephone yet" in text


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        ("turns: [{user: Hello., expect: [{event: vad_user_started_speaking}]}]", "not told of vad_user_started"),
        ("turns: [{user: Hello., expect: [{event: function_call, name: f}]}]", "not told which function"),
        ("turns: [{user: Hello., x_retrieval: {nothing: true}, expect: [{event: response}]}]", "what was looked up"),
        ('turns: [{dtmf: "1", expect: [{event: response}]}]', "dtmf can't be sent"),
        (f"context: [{{role: user, content: Hi.}}]\n{TURN}", "into the context"),
    ],
)
def test_what_no_caller_is_told_or_can_do_is_not_asked_over_webrtc(tmp_path: Path, turn: str, reason: str):
    ((_, text),) = told(tmp_path, turn, tiers="webrtc")
    assert reason in text


def test_where_nothing_is_said_nothing_is_degraded(tmp_path: Path):
    found = told(tmp_path, "x_audio: {codec: g711}\nturns: [{expect: [{event: response}]}]")
    assert found == [(5, "nothing is said, so there is nothing for x_audio to change")]
