"""What is said to a request about the talk itself, from the last answer alone."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from bot.talk.fixed import FIXED
from bot.talk.requests import Request
from bot.talk.spelling import last_named, spelled
from processors.citations import spoken_date, spoken_name
from processors.last_answer import LastAnswer
from processors.quotes import best_quote

NO_SOURCE = "I didn't take that from a document."
NOTHING_NAMED = "There was no name or number in what I said. Which word do you mean?"

_FIRST = re.compile(r".+?[.!?](?=\s|$)|.+", re.DOTALL)


def reply(request: Request, answer: LastAnswer) -> str | None:
    """The words; None where there is nothing yet that the request could be about."""
    if request in FIXED:
        return FIXED[request]
    if not answer.text.strip():
        return None
    match request:
        case Request.REPEAT:
            return answer.text.strip()
        case Request.SHORTER:
            return gist(answer)
        case Request.SOURCE:
            return sources(answer.citations)
        case Request.SPELL:
            thing = last_named(answer.text)
            return NOTHING_NAMED if thing is None else f"{thing}: {spelled(thing)}"
        case _:
            return None


def gist(answer: LastAnswer) -> str:
    """The first sentence that rests on a source, else the first one."""
    text = answer.text.strip()
    if answer.citations:
        return best_quote(answer.citations[0]["quote"], text)[0]
    first = _FIRST.match(text)
    return text if first is None else first[0]


def sources(citations: list[Mapping[str, Any]]) -> str:
    """Title, section and date of each source, one sentence each: "That's from the workshop page, under Repairs." """
    told = list(dict.fromkeys(_source(each) for each in citations))
    return " ".join(f"That's {'also ' if n else ''}from {each}." for n, each in enumerate(told)) or NO_SOURCE


def _source(citation: Mapping[str, Any]) -> str:
    title, path, day = citation["title"], citation["heading_path"], citation["effective_date"]
    section = next((heading for heading in reversed(path) if heading.strip().lower() != title.strip().lower()), None)
    return "".join(
        (
            spoken_name(title),
            f", under “{section}”" if section else "",
            f", as of {spoken_date(date.fromisoformat(day))}" if day else "",
        )
    )
