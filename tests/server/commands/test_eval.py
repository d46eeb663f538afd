import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evals.answers import AnswersResult, AskedQuestion, Outcome, Question
from evals.wer import VoiceResult, WordErrors
from server.cli import app
from server.commands import eval as command
from server.settings import Settings


@pytest.fixture
def measured(monkeypatch):
    """Figures in place of a measurement; the list holds the parts that were asked for."""
    parts = []

    async def evaluate(settings, part, console):
        parts.append(part)
        asked = AskedQuestion(Question(id="q1", question="Why?", document="a.md"), Outcome.RIGHT, ())
        return [VoiceResult("slt", 16_000, WordErrors(1, 4), (0.5,), 2.0, (0.9,))], [AnswersResult("typed", (asked,))]

    monkeypatch.setattr(command, "_evaluate", evaluate)
    return parts


def test_everything_is_measured_unless_a_part_is_named(measured):
    CliRunner().invoke(app, ["eval"])
    CliRunner().invoke(app, ["eval", "wer"])
    assert measured == ["all", "wer"]


def test_the_figures_come_as_tables_that_say_what_was_in_the_path(measured):
    outcome = CliRunner().invoke(app, ["eval"])
    assert outcome.exit_code == 0
    assert "recogniser, answerer: embedded; no vendor in the path" in outcome.stdout
    assert "25.0" in outcome.stdout
    assert "typed" in outcome.stdout


def test_the_figures_come_as_one_json_object(measured):
    outcome = CliRunner().invoke(app, ["eval", "--json"])
    assert outcome.exit_code == 0
    data = json.loads(outcome.stdout)
    assert data["vendors"] == []
    assert (data["wer"][0]["rate"], data["wer"][0]["secs_per_audio_sec"]) == (0.25, 0.25)
    assert data["answers"][0]["outcomes"] == {"q1": "right"}


def test_an_unknown_part_is_refused(measured):
    assert CliRunner().invoke(app, ["eval", "latency"]).exit_code == 2
    assert measured == []


@pytest.mark.integration
async def test_the_handbook_is_searched_in_a_database_of_its_own_whatever_the_environment_names(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/operators")
    async with command.own_knowledge(Settings()) as knowledge:
        passages = await knowledge.search("Do gift cards expire?", limit=1)
    assert Path(passages[0].source).name == "gift-cards.md"
