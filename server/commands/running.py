"""Asks the server that runs, with the operator's key."""

import errno
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

import aiohttp
import typer
from pydantic import BaseModel, ValidationError

from bot.change import Change
from server.errors import SetupError
from server.ingress.schemas import Draining, Overview
from server.listener import local
from server.settings import Settings

ASK_SECS = 10.0

Model = TypeVar("Model", bound=BaseModel)

Url = Annotated[str | None, typer.Option(help="The server to ask; default: the one of the settings, on this host.")]


class NoAnswerError(SetupError):
    """No answer came; the message says from where."""


class NoServerError(NoAnswerError):
    """Nothing listens there."""


class RefusedError(SetupError):
    """The server could not do it now."""


class RunningServer:
    """The server at an address."""

    def __init__(self, *, url: str, key: str, http: aiohttp.ClientSession):
        self._url = url.rstrip("/")
        self._key = key
        self._http = http

    async def overview(self) -> Overview:
        """The calls and servers; raises `SetupError`."""
        return _read(Overview, await self._ask("GET", "/sessions"), self._url)

    async def drain(self) -> Draining:
        """Takes no new calls from now on; raises `SetupError`."""
        return _read(Draining, await self._ask("POST", "/drain"), self._url)

    async def end(self, session_id: str) -> bool:
        """Ends a call; whether there was one. Raises `SetupError`, `RefusedError` where it may work in a moment."""
        return await self._ask("DELETE", f"/session/{session_id}") is not None

    async def change(self, session_id: str, change: Change) -> bool:
        """Has others listen, answer or speak in a call; whether there was one. Raises `SetupError`, `RefusedError`."""
        body = change.model_dump(exclude_none=True)
        return await self._ask("PATCH", f"/session/{session_id}", body) is not None

    async def _ask(self, method: str, path: str, sent: dict[str, Any] | None = None) -> bytes | None:
        """The body of the answer; None where what is asked for is not there."""
        try:
            async with self._http.request(
                method,
                f"{self._url}/api/ingress{path}",
                headers={"Authorization": f"Bearer {self._key}"},
                json=sent,
                timeout=aiohttp.ClientTimeout(total=ASK_SECS),
            ) as response:
                body = await response.read()
        except TimeoutError as error:
            raise NoAnswerError(
                f"The server at {self._url} did not answer within {ASK_SECS:.0f} s. Try again; its log may say why."
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            nobody_listens = getattr(error, "errno", None) == errno.ECONNREFUSED
            raise (NoServerError if nobody_listens else NoAnswerError)(
                f"No server answers at {self._url}. Start it (jarvis run), or say where it is: --url http://host:port"
            ) from error
        if response.status in (404, 410):
            return None
        if response.status in (401, 403):
            raise SetupError(
                f"The server at {self._url} does not know this key. It may use another data directory: set "
                "JARVIS_DATA_DIR to the one that it uses."
            )
        if response.status == 422:
            raise SetupError(_detail(body))
        if response.status >= 400:
            raise RefusedError(f"The server at {self._url} answered with {response.status}. Its log says why.")
        return body


@asynccontextmanager
async def running_server(settings: Settings, url: str | None) -> AsyncIterator[RunningServer]:
    """The server to ask; raises `SetupError` where its key can't be read."""
    key = operator_key(settings)
    async with aiohttp.ClientSession() as http:
        yield RunningServer(url=url or f"http://{local(settings.host)}:{settings.port}", key=key, http=http)


def operator_key(settings: Settings) -> str:
    """The key that the server made at its first start; raises `SetupError` where it can't be read."""
    path = settings.data_dir / "operator.key"
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SetupError(
            f"{path} can't be read ({error.strerror}). The server makes it at its first start; be the user that runs "
            "it, and set JARVIS_DATA_DIR to the folder that it uses."
        ) from error


def _read(model: type[Model], body: bytes | None, url: str) -> Model:
    try:
        return model.model_validate_json(body or b"")
    except ValidationError as error:
        raise SetupError(
            f"What answers at {url} is not Jarvis, or another version of it. Check the address."
        ) from error


def _detail(body: bytes) -> str:
    """What a problem says to do."""
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return "The server does not take that. It may be another version of Jarvis."


def counted(number: int, one: str, many: str) -> str:
    """The number with the words that go with it."""
    return f"{number} {one if number == 1 else many}"


def one_line(overview: Overview) -> str:
    """How full the host is."""
    capacity = overview.capacity
    taken = f"{capacity.live} of {capacity.max_sessions} lines taken"
    reasons: dict[str | None, Any] = {
        "max_sessions": "all lines are taken",
        "cpu": f"no more fit: CPU {capacity.cpu_percent:.0f} % busy, the limit is {capacity.max_cpu_percent:.0f} %",
        "memory": f"no more fit: {capacity.available_mb} MB of memory are free",
    }
    room = reasons[capacity.limited_by] if capacity.limited_by else counted(capacity.free, "more fits", "more fit")
    waiting = f"; {counted(overview.waiting, 'waits', 'wait')} in line" if overview.waiting else ""
    return f"{taken}; {room}{waiting}"
