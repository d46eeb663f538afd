"""How documents are named aloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

_DETERMINERS = frozenset({"the", "our", "your", "a", "an"})
_KINDS_OF_DOCUMENT = frozenset({
    "agreement", "brochure", "catalogue", "conditions", "directory", "faq", "guide", "guidelines", "handbook",
    "instructions", "leaflet", "list", "manual", "notice", "page", "plan", "policy", "prices", "report", "rules",
    "schedule", "terms", "timetable",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """A document, with the day that it is of, where that is known."""

    title: str
    effective_date: date | None


class SourceWords(BaseModel):
    """The words of a language for it, with `{places}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    style: Literal["page", "quoted"]
    name: str
    dated: str
    also_dated: str
    conjunction: str
    said: str
    asked: str
    asked_also: str
    section: str
    as_of: str
    says: str
    not_confirmed: str
    rather: str
    day: str
    months: tuple[str, ...] = Field(min_length=12, max_length=12)

    def named(self, title: str) -> str:
        """A title as it is said in mid-sentence."""
        return self.name.format(title=spoken_name(title) if self.style == "page" else title)

    def spoken(self, day: date) -> str:
        """A day as it is said."""
        number = _ordinal(day.day) if self.style == "page" else str(day.day)
        return self.day.format(day=number, month=self.months[day.month - 1], year=day.year)

    def attribution(self, sources: Sequence[Source], *, dated: bool, earlier: Sequence[Source] = ()) -> str:
        """What is said behind a sentence of these; `earlier` were named without the date that they are of."""
        names = [self._dated(each) if dated else self.named(each.title) for each in sources]
        late = "".join(self._dated(each, self.also_dated) for each in earlier if each.effective_date)
        return self.said.format(sources=self.conjunction.join(names) + late)

    def quoted(self, source: Source, quote: str, *, dated: bool) -> str:
        """What is said where a source is read from."""
        return self.says.format(source=self._dated(source) if dated else self.named(source.title), quote=quote)

    def _dated(self, source: Source, template: str | None = None) -> str:
        if source.effective_date is None:
            return self.named(source.title)
        name, day = self.named(source.title), self.spoken(source.effective_date)
        return (template or self.dated).format(name=name, date=day)


ENGLISH = SourceWords(
    style="page",
    name="{title}",
    dated="{name} of {date}",
    also_dated=", and {name} is of {date}",
    conjunction=" and ",
    said="That's from {sources}.",
    asked="That's from {source}.",
    asked_also="That's also from {source}.",
    section=", under “{section}”",
    as_of=", as of {date}",
    says="{source} says: {quote}",
    not_confirmed="I couldn't confirm that in our documents.",
    rather="– well, {sentence}",
    day="{month} {day}, {year}",
    months=(
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
)  # fmt: skip


def spoken_name(title: str) -> str:
    """A document's title in the midst of an English sentence: "Returns policy" → "the returns policy".

    A title that names a topic rather than a document is called a page: "Delivery" → "the delivery page".
    """
    words = title.split()
    if words and words[0].lower() in _DETERMINERS:
        return " ".join([words[0].lower(), *words[1:]])
    if words and words[0][:1].isupper() and words[0][1:].islower():
        words[0] = words[0].lower()
    if not words or words[-1].lower() not in _KINDS_OF_DOCUMENT:
        words.append("page")
    return " ".join(["the", *words])


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number not in (11, 12, 13) else "th"
    return f"{number}{ending}"
