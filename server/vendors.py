"""Which vendors a set-up has: from variables to the providers of each stage, in order of preference."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bot.providers.provider import Provider
from bot.providers.stages import Stage, members, name_of, needs_of, variables_of
from server.errors import SetupError

# Where the operator names no order: who hears, answers and speaks best in live calls comes first. Others have to be
# named: OpenAI's key may be one of a server at home, and be no reason to send callers' voices anywhere.
PREFERRED: Mapping[Stage, tuple[str, ...]] = {
    "stt": ("deepgram", "google", "azure"),
    "llm": ("openai", "anthropic", "google"),
    "tts": ("cartesia", "elevenlabs", "google", "azure", "deepgram"),
}

# Whether an extra is there.
Installed = Callable[[str | None], bool]


@dataclass(frozen=True, slots=True)
class SetUp:
    """What the operator has set: the names by commas for each stage, and the variables that have a value."""

    wanted: Mapping[Stage, str | None]
    variables: Mapping[str, str]
    installed: Installed

    def chosen(self, stage: Stage) -> tuple[Any, ...]:
        """The stage's providers, at least the embedded one, which is the last; raises `SetupError`."""
        return tuple(self.made(stage, each) for each in self.order(stage))

    def order(self, stage: Stage) -> tuple[type[Provider], ...]:
        """The providers that are chosen, whether or not they can be made; raises `SetupError` for unknown names."""
        embedded = members(stage)[0]
        names = self.wanted[stage]
        if names is None:
            unasked = (each for each in preferred(stage) if name_of(each) in PREFERRED[stage])
            return (*(each for each in unasked if not self.missing(each) and self.installed(each.extra)), embedded)
        chosen = _named(stage, names)
        return (*(each for each in chosen if each is not embedded), embedded)

    def missing(self, provider: type[Provider]) -> tuple[str, ...]:
        """The variables that the provider needs and that are not set."""
        return tuple(name for name in needs_of(provider) if name not in self.variables)

    def made(self, stage: Stage, provider: type[Provider]) -> Provider:
        """The provider with what is set; raises `SetupError` that says what to set, without a value."""
        name, sets = name_of(provider), f"JARVIS_{stage.upper()}"
        if missing := self.missing(provider):
            raise SetupError(f"{sets} names {name}, which needs {_listed(missing)}. Set it, or leave {name} out.")
        if not self.installed(provider.extra):
            raise SetupError(
                f"{provider.title} ({name}) is set, but not installed. Install it: make setup "
                f'EXTRAS="{provider.extra}", or choose others by {sets} ({_names(stage)}).'
            )
        fields = variables_of(provider)
        values = {field: self.variables[each] for field, each in fields.items() if each in self.variables}
        try:
            return provider.model_validate(values)
        except ValidationError as error:
            lines = [
                f"  {fields.get(str(each['loc'][0]), name) if each['loc'] else name}: "
                f"{each['msg'].removeprefix('Value error, ')}"
                for each in error.errors(include_input=False, include_context=False)
            ]
            raise SetupError("These settings are wrong:\n" + "\n".join(lines)) from None


@dataclass(frozen=True, slots=True)
class Listed:
    """A provider as the operator sees it."""

    stage: Stage
    name: str
    title: str
    needs: tuple[str, ...]
    missing: tuple[str, ...]
    extra: str | None
    installed: bool
    configured: bool
    """Whether calls could use it as it is set."""
    place: int | None
    """Its place in the order, from 1; None where it is not chosen."""
    wrong: str | None
    """What is wrong with it although its variables are set, and what to do."""


def listed(set_up: SetUp, stage: Stage) -> list[Listed]:
    """Every provider of the stage, those that are chosen first, in their order; raises `SetupError`."""
    order = set_up.order(stage)
    others = [each for each in (*preferred(stage), members(stage)[0]) if each not in order]
    return [_row(set_up, stage, each, order) for each in (*order, *others)]


def preferred(stage: Stage) -> tuple[type[Provider], ...]:
    """The vendors of a stage, the best first; one that nobody gave a place comes last."""
    vendors = members(stage)[1:]
    names = PREFERRED[stage]
    places = {name: place for place, name in enumerate(names)}
    return tuple(sorted(vendors, key=lambda each: places.get(name_of(each), len(names))))


def _named(stage: Stage, names: str) -> list[type[Provider]]:
    known = {name_of(each): each for each in members(stage)}
    wanted = list(dict.fromkeys(name.strip().lower() for name in names.split(",") if name.strip()))
    sets, embedded = f"JARVIS_{stage.upper()}", name_of(members(stage)[0])
    if unknown := [name for name in wanted if name not in known]:
        raise SetupError(f"{sets}: there is no {_listed(unknown)}. Known are {_names(stage)}.")
    if not wanted:
        raise SetupError(f"{sets} names nobody. Known are {_names(stage)}; several by commas.")
    if embedded in wanted[:-1]:
        raise SetupError(f"{sets}: {embedded} never fails over to another; name it last, or leave it out.")
    return [known[name] for name in wanted]


def _row(set_up: SetUp, stage: Stage, provider: type[Provider], order: tuple[type[Provider], ...]) -> Listed:
    missing, place = set_up.missing(provider), order.index(provider) + 1 if provider in order else None
    wrong = None
    if not missing or place is not None:
        try:
            set_up.made(stage, provider)
        except SetupError as error:
            wrong = str(error)
    return Listed(
        stage=stage,
        name=name_of(provider),
        title=provider.title,
        needs=needs_of(provider),
        missing=missing,
        extra=provider.extra,
        installed=set_up.installed(provider.extra),
        configured=not missing and wrong is None,
        place=place,
        wrong=wrong,
    )


def _names(stage: Stage) -> str:
    return ", ".join(name_of(each) for each in (*preferred(stage), members(stage)[0]))


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return " and ".join(names)
