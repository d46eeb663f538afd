"""What an operator chooses for a call while it goes on; Pipecat stays out, so that the server need not load it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Voice = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ChosenVoice(BaseModel):
    """Who speaks, and how; None is as it was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: Name | None = Field(default=None, description="one of the call's voices, as `jarvis providers` names it")
    voice: Voice | None = Field(default=None, description="by the provider's name or id for it")
    speed: float | None = Field(default=None, ge=0.5, le=2, description="1 is as fast as the voice speaks by itself")
    volume: float | None = Field(default=None, ge=0.25, le=4, description="1 is as loud as the voice is by itself")


class Change(BaseModel):
    """Who listens, answers and speaks from the next turn on, of those that the call has; None is as it was."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"llm": "anthropic", "tts": {"speed": 1.1}}]}
    )

    stt: Name | None = None
    llm: Name | None = None
    tts: ChosenVoice = ChosenVoice()

    def then(self, later: "Change") -> "Change":
        """Both, the later one on top; a voice goes with its provider."""
        before = {} if later.tts.provider is None else {"voice": None}
        tts = self.tts.model_copy(update=before | later.tts.model_dump(exclude_none=True))
        names = {name: each for name in ("stt", "llm") if (each := getattr(later, name)) is not None}
        return self.model_copy(update=names | {"tts": tts})
