"""What callers ask in a drill, and the sentence of the handbook that is the answer."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

SAMPLE = Path(__file__).parents[1] / "sample"
# Short ones, answered in one sentence, and spoken without a pause in which a recogniser would tell a first half: the
# doubles are told whole questions.
IDS = ("q08", "q18", "q24")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: its id, which is its recording's, its words, and the answer with a phrase only that one holds."""

    id: str
    words: str
    phrase: str
    answer: str


def questions() -> list[Asked]:
    """Those of the sample."""
    lines = (SAMPLE / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [_asked(each) for each in map(json.loads, lines) if each["id"] in IDS]


def _asked(record: dict[str, str]) -> Asked:
    phrase = record["must_contain"][-1]
    document = (SAMPLE / "handbook" / record["document"]).read_text(encoding="utf-8")
    (answer,) = [each.strip() for each in _SENTENCE.findall(document) if phrase in each.lower()]
    return Asked(record["id"], record["question"], phrase, answer)
