"""A caller's websocket at the end of a bot of this host, over the bot's control socket."""

import asyncio

import aiohttp

from server.ingress.launcher import BotGoneError, BotRefusedError, Closed

HEARTBEAT_SECS = 10.0
SEND_SECS = 5.0
CLOSE_SECS = 2.0
ABNORMAL = 1006
# The bot's own words are a few kB.
MAX_MESSAGE_BYTES = 2**20


class LocalAudioLine:
    """One websocket to one bot, pinged every ten seconds of silence."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    @classmethod
    async def opened(cls, http: aiohttp.ClientSession, *, pc_id: str) -> "LocalAudioLine":
        """The websocket of the caller who was answered so; raises `BotRefusedError` or `BotGoneError`."""
        try:
            socket = await http.ws_connect(
                "/audio",
                params={"pc_id": pc_id},
                heartbeat=HEARTBEAT_SECS,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECS),  # pyright: ignore[reportCallIssue]  (attrs)
                max_msg_size=MAX_MESSAGE_BYTES,
            )
        except aiohttp.WSServerHandshakeError as error:
            raise BotRefusedError(
                error.status, "The assistant does not take this connection. Connect again."
            ) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise BotGoneError("the bot does not answer") from error
        return cls(socket)

    async def receive(self) -> bytes | str | Closed:
        """The bot's next message, or its end."""
        message = await self._socket.receive()
        match message.type:
            case aiohttp.WSMsgType.BINARY | aiohttp.WSMsgType.TEXT:
                return message.data
            case aiohttp.WSMsgType.CLOSE:
                return Closed(message.data or ABNORMAL, message.extra or "")
        return Closed(ABNORMAL)

    async def send(self, message: bytes | str) -> None:
        """Hands a message to the bot; raises `BotGoneError` where it takes none for seconds."""
        try:
            async with asyncio.timeout(SEND_SECS):
                await (
                    self._socket.send_bytes(message) if isinstance(message, bytes) else self._socket.send_str(message)
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise BotGoneError("the bot takes no sound") from error

    async def close(self, closed: Closed) -> None:
        """Ends it, if it has not ended."""
        try:
            async with asyncio.timeout(CLOSE_SECS):
                await self._socket.close(code=closed.code, message=closed.reason.encode())
        except (aiohttp.ClientError, OSError, TimeoutError):
            pass
