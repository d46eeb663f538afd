"""Who answers a call."""

from datetime import datetime
from string import Formatter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from bot.change import Voice
from bot.hours import Hours
from bot.prompts import prompt
from bot.wording.table import NAMES, Language, Wording, wording

DEFAULT = "default"
_PARTS = Formatter()


def _fits(text: str) -> str:
    try:
        plain = all(
            part[1] in (None, "name", "business") and not part[2] and not part[3] for part in _PARTS.parse(text)
        )
    except ValueError:
        plain = False
    if not plain:
        raise ValueError("only {name} and {business} may stand in braces")
    return text


# Words that are spoken, with `{name}` and `{business}` in them.
Spoken = Annotated[str, StringConstraints(max_length=600), AfterValidator(_fits)]


class OutsideHours(BaseModel):
    """What a caller hears who calls outside of the hours, and whether the call then goes on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message: Annotated[Spoken, StringConstraints(strip_whitespace=True, min_length=1)]
    then: Literal["answer", "end"] = Field(
        default="end", description="answer: the call goes on as any other; end: it ends once the message was said"
    )


class Persona(BaseModel):
    """Who answers: a name, whom it speaks for, how, and from what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "Jarvis"
    business: str = "Larkspur Cycles"
    language: Language = Field(default="en", description="what it speaks and understands, as far as its providers can")
    greeting: Spoken = "Hello, this is {name} at {business}."
    instructions: str = Field(default="", max_length=8000, description="what a language model is told besides")
    collection: str | None = Field(default=None, description="where it looks things up, unless a call names another")
    voices: dict[str, Voice] = Field(default={}, description="for each provider, its voice by the provider's own name")
    hours: Hours | None = Field(default=None, description="when somebody is there; always where not set")
    outside_hours: OutsideHours | None = None

    @model_validator(mode="after")
    def _knows_what_is_outside(self) -> Self:
        if self.hours is not None and self.outside_hours is None:
            raise ValueError("hours need an outside_hours with the message of who calls outside of them")
        if self.hours is None and self.outside_hours is not None:
            raise ValueError("outside_hours needs hours")
        return self

    @property
    def words(self) -> Wording:
        """What it says by itself."""
        return wording(self.language)

    def first_words(self, notice: str, outside: OutsideHours | None = None) -> str:
        """The first words of a call; `notice` is what the LLM provider wants callers to know."""
        message = "" if outside is None else self._filled(outside.message)
        open_end = () if outside is not None and outside.then == "end" else (notice, self.words.how_can_i_help)
        return " ".join(part for part in (self._filled(self.greeting), message, *open_end) if part)

    def outside(self, at: datetime) -> OutsideHours | None:
        """What happens to a call that begins then; None within the hours."""
        return None if self.hours is None or self.hours.open_at(at) else self.outside_hours

    def told(self, instruction: str) -> str:
        """The instruction of a language model with its language and its own instructions behind it."""
        spoken = "" if self.language == "en" else prompt("language", language=NAMES[self.language])
        return "\n\n".join(part for part in (instruction, spoken, self.instructions) if part)

    def _filled(self, text: str) -> str:
        return text.format(name=self.name, business=self.business)
