"""The operator's personas: a folder of TOML files, each with one who answers calls."""

import asyncio
import re
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.change import Voice
from bot.hours import Hours
from bot.persona import DEFAULT, OutsideHours, Persona, Spoken
from bot.providers.stages import members, name_of
from bot.settings import BotSettings
from bot.speech.errors import SpeechError, SpeechRequestError
from bot.wording.table import NAMES, Language, wording
from server.errors import SetupError
from server.rag.fields import CollectionName

if TYPE_CHECKING:
    from bot.speech.client import Speech

SUFFIX = ".toml"
VOICE_SECS = 5.0
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class PersonaFile(BaseModel):
    """What may stand in a file; what does not is as the settings say."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: str | None = Field(default=None, min_length=1, max_length=100)
    business: str | None = Field(default=None, min_length=1, max_length=200)
    language: Language = "en"
    greeting: Spoken | None = None
    instructions: str = Field(default="", max_length=8000)
    collection: CollectionName | None = None
    voice: dict[str, Voice] = {}
    hours: Hours | None = None
    outside_hours: OutsideHours | None = None

    def persona(self, default: Persona) -> Persona:
        """The one who answers; raises `ValidationError`."""
        told = self.model_dump(exclude={"voice"}, exclude_none=True) | {"voices": self.voice}
        greeting = default.greeting if self.language == "en" else wording(self.language).greeting
        own = {"name": default.name, "business": default.business, "greeting": greeting}
        return Persona.model_validate(own | told)


def read_personas(folder: Path, settings: BotSettings) -> dict[str, Persona]:
    """Everybody who may answer, by id, which is the file's name; `default` is who does where nobody is named.

    Raises `SetupError` with all that is wrong, by file and key.
    """
    problems: list[str] = []
    found: dict[str, Persona] = {DEFAULT: settings.persona}
    for path in _files(folder):
        try:
            found[_id_of(path)] = _read(path, settings)
        except ValidationError as error:
            problems += [f"{path.name}: {each}" for each in _told(error)]
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            problems.append(f"{path.name}: {reason}")
    if problems:
        raise SetupError(f"JARVIS_PERSONAS: in {folder}\n" + "\n".join(f"  {each}" for each in problems))
    return found


async def check_voices(personas: Mapping[str, Persona], speech: "Speech") -> None:
    """Raises `SetupError` where one is to speak on this host by a voice that this host does not know.

    Behind any other voice another one stands; behind this one there would be silence.
    """
    voice = members("tts")[0]
    wrong = [
        f"{name}{SUFFIX}: voice.{name_of(voice)}: espeak-ng has no voice {named!r}; `espeak-ng --voices` lists them"
        for name, each in personas.items()
        if (named := each.voices.get(name_of(voice))) is not None and not await _can_say(named, speech)
    ]
    if wrong:
        raise SetupError("JARVIS_PERSONAS:\n" + "\n".join(f"  {each}" for each in wrong))


async def _can_say(voice: str, speech: "Speech") -> bool:
    said = speech.synthesize("One.", voice=voice, words_per_minute=200, pitch=50, sample_rate=16000)
    try:
        async with asyncio.timeout(VOICE_SECS), aclosing(said):
            await anext(said, None)
    except SpeechRequestError:
        return False
    except (SpeechError, TimeoutError):
        # It is busy or away, which says nothing of the voice.
        return True
    return True


def shortcomings(persona: Persona, settings: BotSettings) -> list[str]:
    """What its providers can't do in its language, as sentences; empty where nothing is to be said."""
    if persona.language == "en":
        return []
    told = settings.answered_by(persona)
    stages = {"hears": told.stt, "answers": told.llm}
    return [
        f"speaks {NAMES[persona.language]}, but {each.title} ({each.provider}), which {does}"
        f"{' where no other can' if len(chosen) > 1 else ''}, knows English alone"
        for does, chosen in stages.items()
        for each in chosen
        if each.english_only
    ]


def _files(folder: Path) -> list[Path]:
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except OSError as error:
        raise SetupError(f"JARVIS_PERSONAS: {folder} can't be read ({error.strerror}).") from error
    if not files:
        raise SetupError(f"JARVIS_PERSONAS: in {folder} is no file whose name ends with {SUFFIX}.")
    return files


def _id_of(path: Path) -> str:
    if path.stem == DEFAULT:
        raise ValueError(
            "default is whom JARVIS_NAME, JARVIS_BUSINESS and JARVIS_GREETING say; name the file otherwise"
        )
    if not _ID.fullmatch(path.stem):
        raise ValueError("the name is the persona's id: lower-case letters, digits, - and _ alone")
    return path.stem


def _read(path: Path, settings: BotSettings) -> Persona:
    data = _parsed(path)
    persona = PersonaFile.model_validate(data).persona(settings.persona)
    _check_voices(persona.voices)
    try:
        settings.answered_by(persona)
    except ValidationError as error:
        raise ValueError(f"voice: {error.errors(include_input=False)[0]['msg']}") from None
    return persona


def _parsed(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"it is no TOML: {error}") from None


def _check_voices(voices: Mapping[str, str]) -> None:
    known = [name_of(each) for each in members("tts")]
    if unknown := [name for name in voices if name not in known]:
        raise ValueError(f"voice.{unknown[0]}: nobody of that name speaks; known are {', '.join(known)}")


def _told(error: ValidationError) -> Iterable[str]:
    for each in error.errors(include_input=False, include_url=False):
        place = ".".join(str(part) for part in each["loc"])
        message = "there is no such key" if each["type"] == "extra_forbidden" else each["msg"]
        yield ": ".join(part for part in (place, message.removeprefix("Value error, ")) if part)
