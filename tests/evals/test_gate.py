"""How the gate is measured."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from evals.gate import GateResult, LabelledTurn, measure, read_turns, table
from evals.retrieval import DataError
from knowledge.types import SearchResult, Turn, Verdict


class ScriptedSearch:
    """Gives one verdict a turn, in order; fails when it is asked more often."""

    def __init__(self, *verdicts: Verdict):
        self._verdicts = list(verdicts)
        self.histories: list[Sequence[Turn]] = []

    async def search(self, question: str, *, history: Sequence[Turn] = (), limit: int = 4) -> SearchResult:
        self.histories.append(history)
        return SearchResult(self._verdicts.pop(0))


def turn(label: str, **fields: object) -> LabelledTurn:
    return LabelledTurn.model_validate({"id": "g1", "text": "well", "label": label, "style": "typed"} | fields)


async def test_verdicts_are_counted_by_label_and_style():
    search = ScriptedSearch(Verdict.FOUND, Verdict.SMALL_TALK, Verdict.OFF_TOPIC)
    results = await measure([turn("question"), turn("question"), turn("other")], search=search)
    assert results == [GateResult("other", "typed", 1, 0, 1), GateResult("question", "typed", 2, 1, 0)]


async def test_a_turn_is_asked_in_its_conversation():
    search = ScriptedSearch(Verdict.FOUND)
    await measure([turn("question", history=[{"role": "user", "text": "hello"}])], search=search)
    assert search.histories == [[Turn("user", "hello")]]


@pytest.mark.parametrize(
    ("result", "right"),
    [
        (GateResult("question", "typed", 4, small_talk=1, off_topic=1), 0.75),
        (GateResult("small_talk", "typed", 4, small_talk=1, off_topic=1), 0.5),
        (GateResult("other", "typed", 4, small_talk=0, off_topic=0), 0.0),
    ],
)
def test_a_question_must_pass_and_all_else_must_not(result: GateResult, right: float):
    assert result.right == right


def test_each_label_and_style_has_a_line():
    assert table([GateResult("other", "typed", 2, 1, 0)]).row_count == 1


def test_turns_are_read_line_by_line(tmp_path: Path):
    path = tmp_path / "turns.jsonl"
    path.write_text(json.dumps(turn("question").model_dump(mode="json")) + "\n")
    assert read_turns(path) == [turn("question")]


@pytest.mark.parametrize("line", ["no json", '{"id": "g1", "text": "well", "label": "shout", "style": "typed"}'])
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str):
    path = tmp_path / "turns.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(DataError, match=r"turns\.jsonl:1"):
        read_turns(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(DataError, match="cannot be read"):
        read_turns(tmp_path / "none.jsonl")
