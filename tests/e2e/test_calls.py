"""Calls to the real server over real WebRTC audio: asked by recordings, answered from the handbook."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from evals.program import ROOT, Jarvis

pytestmark = pytest.mark.e2e

# Recordings of the sample's questions, and the documents that answer them.
RETURNS, MEMBERSHIP, RENTAL, HOURS, REFUNDS = "q03", "q18", "q14", "q07", "q01"
DOCUMENTS = {RETURNS: "returns-policy.md", MEMBERSHIP: "membership.md", RENTAL: "rental.md", HOURS: "opening-hours.md"}
FACTS = {RETURNS: "6 working days", MEMBERSHIP: "49 dollars", RENTAL: "70 dollars", HOURS: "8 in the morning"}


def sources(turn: dict[str, Any]) -> list[str]:
    return [citation["source"] for citation in turn["citations"]]


def test_three_questions_are_answered_from_three_documents_each_with_its_source(jarvis: Jarvis, artifacts: Path):
    asked = (RETURNS, MEMBERSHIP, RENTAL)
    report = jarvis.call(*asked, out=artifacts / "call.wav")
    for question, turn in zip(asked, report["turns"], strict=True):
        assert sources(turn)[0] == DOCUMENTS[question]
        assert FACTS[question] in turn["said"]
        assert "That's from the" in turn["said"]
        assert "[" not in turn["said"]
        assert turn["v2v_ms"] is not None
    assert report["greeting"]["said"].startswith("Hello, this is Jarvis")


def test_a_barge_in_silences_the_bot_and_the_new_question_is_answered(jarvis: Jarvis, artifacts: Path):
    report = jarvis.call(REFUNDS, MEMBERSHIP, out=artifacts / "call.wav", options=("--barge-in", "1.5"))
    interrupted, after = report["turns"]
    assert interrupted["yield_ms"] is not None
    assert interrupted["yield_ms"] <= 300
    assert sources(after)[0] == DOCUMENTS[MEMBERSHIP]


def test_two_calls_at_the_same_time_do_not_disturb_each_other(jarvis: Jarvis, artifacts: Path):
    placed = {
        question: subprocess.Popen(
            [sys.executable, "-m", "server", *jarvis.call_arguments(question, out=artifacts / f"{question}.wav")],
            cwd=ROOT,
            env=jarvis.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for question in (RETURNS, HOURS)
    }
    for question, process in placed.items():
        out, _ = process.communicate(timeout=120)
        assert FACTS[question] in out
        assert DOCUMENTS[question] in out


def test_a_killed_bot_is_replaced_and_harms_no_other(jarvis: Jarvis, artifacts: Path):
    _, created, _ = jarvis.request("POST", "/api/ingress/session/create", {})
    doomed = jarvis.bot_of(created["id"])
    other = subprocess.Popen(
        [sys.executable, "-m", "server", *jarvis.call_arguments(MEMBERSHIP, out=artifacts / "other.wav")],
        cwd=ROOT,
        env=jarvis.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(3)
    doomed.kill()
    out, _ = other.communicate(timeout=120)
    assert FACTS[MEMBERSHIP] in out
    path = f"/api/ingress/session/{created['id']}"
    _, state, _ = jarvis.request("GET", path, token=created["token"])
    assert (state["state"], jarvis.bot_of(created["id"]) == doomed) == ("created", False)
    jarvis.request("DELETE", path, token=created["token"])
