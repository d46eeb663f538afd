"""What language models answer of which the questions are known: the words of the passages that they are given."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from processors.failover.seam import GO_ON
from processors.failover.words import words_of
from processors.passages import read_passages

NOT_UNDERSTOOD = "I did not understand that."
NOT_SEARCHED = "I can't look things up right now."
NOT_FOUND = "I could not find it in the documents."
NOTHING_SAID = "I said nothing."
# What Pipecat tells the model of a simulated caller.
PLAYS_A_CALLER = "You are playing a person on a phone call"
_SENTENCE = re.compile(r"[^.!?]+[.!?]")


@dataclass
class Script:
    """Answers a question that is known with the sentence that holds its phrase, behind it the passage's marker.

    So the right words come only of the right question with the right passages. An answer that was cut off goes on from
    there where that is asked for. A question that `recalls` is answered with what the dialogue has of the answer before
    it. What it `writes` to a question stands in the place of the sentence, with the same marker. A `fixed` answer is
    the one to everything. Where a caller is played, `caller` has its lines. A question that `calls` a tool, with
    arguments, is answered with what came of that, where it has no phrase.
    """

    phrases: dict[str, str] = field(default_factory=dict)
    recalls: list[str] = field(default_factory=list)
    writes: dict[str, str] = field(default_factory=dict)
    fixed: str | None = None
    caller: list[str] = field(default_factory=list)
    calls: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def line(self, messages: Sequence[Mapping[str, Any]]) -> str | None:
        """The next of the `caller`'s lines, "" behind the last one; None where nobody is asked to play a caller."""
        if not messages or PLAYS_A_CALLER not in _text(messages[0]["content"]):
            return None
        heard = sum(each["role"] == "user" for each in messages)
        return self.caller[heard - 1] if heard <= len(self.caller) else ""

    def call(self, messages: Sequence[Mapping[str, Any]]) -> tuple[str, dict[str, Any]] | None:
        """The tool that the last words of a caller call, and its arguments."""
        last = messages[-1] if messages else {}
        if last.get("role") != "user":
            return None
        heard = _words(_text(last.get("content")))
        return next(
            (call for question, calls in self.calls.items() if _words(question) == heard for call in calls.items()),
            None,
        )

    def answer(self, messages: Sequence[Mapping[str, Any]]) -> str:
        """The answer to a dialogue in OpenAI's or in Anthropic's form."""
        if self.fixed is not None:
            return self.fixed
        texts = [(str(each["role"]), _text(each.get("content"))) for each in messages]
        whole = self._whole(texts)
        places = [place for place, (_, text) in enumerate(texts) if GO_ON in text]
        if not places or texts[places[-1] - 1][0] != "assistant":
            return whole
        said = texts[places[-1] - 1][1]
        return whole.removeprefix(said.strip()) if whole.startswith(said.strip()) else whole

    def _whole(self, texts: Sequence[tuple[str, str]]) -> str:
        heard = [_words(text) for role, text in texts if role == "user"]
        if heard and any(_words(question) in heard[-1] for question in self.recalls):
            return _before_the_last_question(texts)
        asked = [question for text in heard for question in self.phrases if _words(question) in text]
        if texts and texts[-1][0] == "tool" and not (asked and _words(asked[-1]) in heard[-1]):
            return texts[-1][1]
        if not asked:
            return NOT_UNDERSTOOD
        phrase = self.phrases[asked[-1]].lower()
        fenced = [text for _, text in texts if "<passages-" in text]
        passages = read_passages({"content": fenced[-1]}) if fenced else None
        if passages is None:
            return NOT_SEARCHED
        for passage in passages:
            for sentence in _SENTENCE.findall(passage.text):
                if phrase in sentence.lower():
                    words = self.writes.get(asked[-1]) or str(sentence)
                    return f"{' '.join(words.split())} [{passage.number}]"
        return NOT_FOUND


def _before_the_last_question(texts: Sequence[tuple[str, str]]) -> str:
    asked = max(place for place, (role, _) in enumerate(texts) if role == "user")
    return next((text for role, text in reversed(texts[:asked]) if role == "assistant" and text), NOTHING_SAID)


def _words(text: str) -> str:
    """The words alone: one recogniser writes them with capitals and marks, another without."""
    return " ".join(words_of(text))


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text", "")) for part in content or ())
