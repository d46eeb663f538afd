"""The server's session API, as a caller uses it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import aiohttp
from loguru import logger
from pydantic import BaseModel, ValidationError

from evals.caller.errors import CallError

REQUEST_TIMEOUT_SECS = 10.0
HANG_UP_TIMEOUT_SECS = 5.0

Model = TypeVar("Model", bound=BaseModel)


class Session(BaseModel):
    """A session that the server granted; `eval_url` is where one for Pipecat's eval harness is joined."""

    id: str
    token: str
    eval_url: str | None = None


class Description(BaseModel):
    """One side's WebRTC session description."""

    sdp: str
    type: str
    pc_id: str | None = None
    restart_pc: bool | None = None


class SessionState(BaseModel):
    """How a session stands."""

    state: str
    end_reason: str | None = None


class _Problem(BaseModel):
    title: str = ""
    detail: str = ""


class Ingress:
    """Creates sessions, offers media and hangs up, over HTTP."""

    def __init__(self, *, base_url: str, http: aiohttp.ClientSession, key: str | None = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._sessions_url = f"{self._base_url}/api/ingress/session"
        self._http = http
        self._key = key

    async def create(self, wanted: Mapping[str, Any] | None = None) -> Session:
        """A new session, with this in the request's body, or CallError when the server is away or refuses."""
        return await self._request("POST", f"{self._sessions_url}/create", dict(wanted or {}), Session, self._key)

    async def offer(self, session: Session, offer: Description) -> Description:
        """The bot's answer to the caller's offer, or CallError when the server refuses."""
        body = offer.model_dump(exclude={"restart_pc"}) | ({"restart_pc": True} if offer.restart_pc else {})
        return await self._request("POST", f"{self._sessions_url}/{session.id}/offer", body, Description, session.token)

    async def state(self, session: Session) -> SessionState:
        """How the session stands, or CallError when the server is away or refuses."""
        return await self._request("GET", f"{self._sessions_url}/{session.id}", None, SessionState, session.token)

    async def change(self, session: Session, wanted: Mapping[str, Any]) -> None:
        """Have other providers or another voice in the call, or CallError when the server is away or refuses."""
        await self._asked("PATCH", f"{self._sessions_url}/{session.id}", dict(wanted), self._key)

    async def hang_up(self, session: Session) -> None:
        """End the session; a server that is gone, or has ended it already, is no error."""
        try:
            async with self._http.delete(
                f"{self._sessions_url}/{session.id}",
                headers=_authorization(session.token),
                timeout=aiohttp.ClientTimeout(total=HANG_UP_TIMEOUT_SECS),
            ) as response:
                if response.status >= HTTPStatus.BAD_REQUEST and response.status != HTTPStatus.NOT_FOUND:
                    logger.warning("hanging up session {} was answered with {}", session.id, response.status)
        except (aiohttp.ClientError, TimeoutError):
            logger.warning("session {} could not be hung up: the server did not answer", session.id)

    async def _request(
        self, method: str, url: str, body: dict[str, Any] | None, model: type[Model], bearer: str | None
    ) -> Model:
        content = await self._asked(method, url, body, bearer)
        try:
            return model.model_validate_json(content)
        except ValidationError:
            raise CallError(
                f"What answers at {self._base_url} is not Jarvis. Check the address and the port."
            ) from None

    async def _asked(self, method: str, url: str, body: dict[str, Any] | None, bearer: str | None) -> bytes:
        try:
            async with self._http.request(
                method,
                url,
                json=body,
                headers=_authorization(bearer),
                timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_SECS),
            ) as response:
                content = await response.read()
        except aiohttp.InvalidURL:
            raise CallError(f"{self._base_url!r} is not an address. Pass one like http://127.0.0.1:8000.") from None
        except aiohttp.ClientError:
            raise CallError(
                f"No server answers at {self._base_url}. Start Jarvis there, or pass the address it listens on."
            ) from None
        except TimeoutError:
            raise CallError(
                f"The server at {self._base_url} took longer than {REQUEST_TIMEOUT_SECS:.0f} s to answer. "
                "Look at its log, or whether its host is overloaded."
            ) from None
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise CallError(_refusal(self._base_url, response, content))
        return content


def _authorization(bearer: str | None) -> dict[str, str]:
    return {} if bearer is None else {"Authorization": f"Bearer {bearer}"}


def _refusal(base_url: str, response: aiohttp.ClientResponse, content: bytes) -> str:
    try:
        problem = _Problem.model_validate_json(content)
    except ValidationError:
        problem = _Problem()
    reason = ": ".join(part for part in (problem.title or response.reason or "", problem.detail) if part)
    retry_after = response.headers.get("Retry-After")
    retry = f" Try again in {retry_after} s." if retry_after else ""
    return f"The server at {base_url} refused the call ({response.status} {reason}).{retry}"
