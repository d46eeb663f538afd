"""A server on loopback that speaks Deepgram's `v2/listen` as it is documented: Flux, over a websocket."""

import uuid
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.vendors.deepgram import GARBAGE, Hearing, Listener, Over, Utterance, missing

# Silence after which Flux guesses, and knows, that a turn has ended.
GUESS_SECS = 0.12
END_SECS = 0.26
SURE = 0.85


@dataclass
class DeepgramFlux(Listener):
    """Ends a turn when it is told to (ForceEndTurn), when it is sure, and at `eot_timeout_ms`.

    It guesses and is sure after a short silence, but not where `is_sure` is False.
    """

    path: str = "/v2/listen"
    is_sure: bool = True

    def objection(self, query: dict[str, str]) -> str:
        """What is wrong with the query."""
        sure, guess = float(query.get("eot_threshold", 0.7)), float(query.get("eager_eot_threshold", 0.3))
        if not (0.5 <= sure <= 0.9 or sure == 1) or not 0.3 <= guess <= min(sure, 0.9):
            return "Bad Request: eot_threshold or eager_eot_threshold is out of range."
        return missing(query, model="flux-")

    async def serve(self, socket: web.WebSocketResponse, query: dict[str, str]) -> None:
        """Listen to one client."""
        stream = _Stream(self, socket, query)
        await stream.send({"type": "Connected"})
        async for message in self.messages(socket):
            match message:
                case bytes():
                    await stream.listen(message)
                case {"type": "ForceEndTurn"}:
                    await stream.end_turn("manual")
                case {"type": "Configure"}:
                    await stream.send({**message, "type": "ConfigureSuccess"})
                case {"type": "CloseStream"}:
                    break
                case _:
                    await stream.send(
                        {
                            "type": "Error",
                            "code": "UNPARSABLE_CLIENT_MESSAGE",
                            "description": "The message could not be understood.",
                        }
                    )
                    break


class _Stream:
    """The turn on one connection."""

    def __init__(self, server: DeepgramFlux, socket: web.WebSocketResponse, query: dict[str, str]) -> None:
        self._server = server
        self._socket = socket
        self._timeout_secs = int(query.get("eot_timeout_ms", 5000)) / 1000
        self._sure = float(query.get("eot_threshold", 0.7)) <= SURE and server.is_sure
        self._guesses = "eager_eot_threshold" in query and server.is_sure
        self._hearing = Hearing(server, rate_hz=int(query["sample_rate"]), gap_secs=self._timeout_secs)
        self._request_id = str(uuid.uuid4())
        self._sent = 0
        self._turn: Utterance | None = None
        self._turn_index = 0
        self._has_guessed = False

    async def listen(self, audio: bytes) -> None:
        """Take audio, tell what it brings."""
        for utterance in self._hearing.hear(audio):
            if utterance is not None:
                await self._follow(utterance)

    async def end_turn(self, trigger: str) -> None:
        """End the turn; where there is none, nothing happens."""
        if self._turn is None:
            return
        turn, self._turn = self._turn, None
        self._hearing.current = None
        if turn.fault == "drop":
            raise Over
        if turn.fault not in ("stall", "stall_midway"):
            await self._send_turn(turn, "EndOfTurn", confidence=SURE, trigger=trigger)
        self._turn_index += 1

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message with what every one has."""
        numbered = {**message, "request_id": self._request_id, "sequence_id": self._sent}
        self._sent += 1
        await self._socket.send_json(numbered)

    async def _follow(self, turn: Utterance) -> None:
        if self._turn is not turn:
            self._turn, self._has_guessed = turn, False
            await self._server.faults.first()
            if turn.fault == "garbage":
                await self._socket.send_str(GARBAGE)
            if turn.fault != "stall":
                await self._send_turn(turn, "StartOfTurn", confidence=0.1)
        if self._has_guessed and not turn.quiet_secs:
            self._has_guessed = False
            await self._send_turn(turn, "TurnResumed", confidence=0.1)
        if turn.spoken > turn.told and turn.fault != "stall":
            turn.told = turn.spoken
            if turn.fault not in ("drop", "stall_midway") or turn.told <= (len(turn.words) + 1) // 2:
                await self._send_turn(turn, "Update", confidence=0.2)
            elif turn.fault == "drop":
                raise Over
        if self._guesses and not self._has_guessed and turn.quiet_secs >= GUESS_SECS and turn.words and not turn.fault:
            self._has_guessed = True
            await self._send_turn(turn, "EagerEndOfTurn", confidence=0.6)
        if self._sure and turn.quiet_secs >= END_SECS:
            await self.end_turn("model")
        elif turn.quiet_secs >= self._timeout_secs:
            await self.end_turn("timeout")

    async def _send_turn(self, turn: Utterance, event: str, *, confidence: float, trigger: str | None = None) -> None:
        said = turn.words[: turn.told]
        words = [
            {"word": word, "confidence": 0.97, "start": turn.times(index)[0], "end": turn.times(index)[1]}
            for index, word in enumerate(said)
        ]
        message: dict[str, Any] = {
            "type": "TurnInfo",
            "event": event,
            "turn_index": self._turn_index,
            "audio_window_start": turn.start_secs,
            "audio_window_end": round(self._hearing.at_secs, 3),
            "transcript": " ".join(said),
            "words": words,
            "end_of_turn_confidence": confidence,
        }
        await self.send(message if trigger is None else {**message, "trigger": trigger})
