"""`jarvis set`."""

import asyncio
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from bot.change import Change
from server.commands.problems import stop_on_setup_error
from server.commands.running import Url, running_server
from server.commands.short_ids import by_prefix
from server.errors import SetupError
from server.settings import read_settings

NAME = "NAME"


def change(
    call_id: Annotated[str, typer.Argument(metavar="CALL", help="The call's id, or the first characters of it.")],
    stt: Annotated[str | None, typer.Option(metavar=NAME, help="Who listens.")] = None,
    llm: Annotated[str | None, typer.Option(metavar=NAME, help="Who answers.")] = None,
    tts: Annotated[str | None, typer.Option(metavar=NAME, help="Who speaks.")] = None,
    voice: Annotated[str | None, typer.Option(metavar="VOICE", help="By the vendor's name or id for it.")] = None,
    speed: Annotated[float | None, typer.Option(min=0.5, max=2, help="1 is as the voice speaks by itself.")] = None,
    volume: Annotated[float | None, typer.Option(min=0.25, max=4, help="1 is as the voice is by itself.")] = None,
    url: Url = None,
) -> None:
    """Have another provider listen, answer or speak in a call, from its next turn on; `jarvis providers` names them."""
    with stop_on_setup_error(Console(stderr=True)):
        wanted = _change({"stt": stt, "llm": llm}, {"provider": tts, "voice": voice, "speed": speed, "volume": volume})
        session_id = asyncio.run(_set(call_id, wanted, url))
    typer.echo(f"set: {session_id}")


def _change(names: dict[str, str | None], voice: dict[str, str | float | None]) -> Change:
    if not any(each is not None for each in (*names.values(), *voice.values())):
        raise SetupError("Say what to change: --stt, --llm, --tts, --voice, --speed or --volume.")
    try:
        return Change.model_validate(names | {"tts": voice})
    except ValidationError as error:
        fields = " and ".join(str(each["loc"][-1]).replace("provider", "tts") for each in error.errors())
        raise SetupError(
            f"That can't be the {fields}. `jarvis providers` lists who can hear, answer and speak."
        ) from None


async def _set(prefix: str, wanted: Change, url: str | None) -> str:
    """The id of the call."""
    async with running_server(read_settings(), url) as server:
        live = [call.id for call in (await server.overview()).sessions]
        session_id = by_prefix(prefix, live, noun="call", lister="jarvis ps")
        if not await server.change(session_id, wanted):
            raise SetupError(f"The call {session_id} has just ended.")
    return session_id
