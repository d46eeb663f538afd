"""What is said to a request about the talk itself, from the last answer alone."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from bot.talk.fixed import fixed
from bot.talk.requests import Request
from bot.talk.spelling import last_named, spelled
from bot.wording.table import Wording
from processors.last_answer import LastAnswer
from processors.naming import SourceWords
from processors.quotes import best_quote

_FIRST = re.compile(r".+?[.!?](?=\s|$)|.+", re.DOTALL)


def reply(request: Request, answer: LastAnswer, words: Wording) -> str | None:
    """The words; None where there is nothing yet that the request could be about."""
    if (said := fixed(words).get(request)) is not None:
        return said
    if not answer.text.strip():
        return None
    match request:
        case Request.REPEAT:
            return answer.text.strip()
        case Request.SHORTER:
            return gist(answer)
        case Request.SOURCE:
            return sources(answer.citations, words)
        case Request.SPELL:
            thing = last_named(answer.text)
            return words.nothing_named if thing is None else f"{thing}: {spelled(thing, words.signs)}"
        case _:
            return None


def gist(answer: LastAnswer) -> str:
    """The first sentence that rests on a source, else the first one."""
    text = answer.text.strip()
    if answer.citations:
        return best_quote(answer.citations[0]["quote"], text)[0]
    first = _FIRST.match(text)
    return text if first is None else first[0]


def sources(citations: list[Mapping[str, Any]], words: Wording) -> str:
    """Title, section and date of each source, one sentence each: "That's from the workshop page, under Repairs." """
    told = dict.fromkeys(_source(each, words.source) for each in citations)
    templates = (words.source.asked, *[words.source.asked_also] * len(told))
    said = (template.format(source=each) for template, each in zip(templates, told, strict=False))
    return " ".join(said) or words.no_source


def _source(citation: Mapping[str, Any], words: SourceWords) -> str:
    title, path, day = citation["title"], citation["heading_path"], citation["effective_date"]
    section = next((heading for heading in reversed(path) if heading.strip().lower() != title.strip().lower()), None)
    return "".join(
        (
            words.named(title),
            words.section.format(section=section) if section else "",
            words.as_of.format(date=words.spoken(date.fromisoformat(day))) if day else "",
        )
    )
