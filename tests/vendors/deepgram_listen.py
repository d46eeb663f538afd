"""A server on loopback that speaks Deepgram's `v1/listen` as it is documented: Nova, over a websocket."""

import asyncio
import json
import uuid
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.vendors.deepgram import GARBAGE, SETTLED_SECS, Hearing, Listener, Over, Utterance, missing

GAP_SECS = 0.3
# Less audio than that since the last final words, and Finalize is not answered.
BUFFERED_SECS = 0.1


@dataclass
class DeepgramListen(Listener):
    """Makes words final when they are asked for (Finalize, CloseStream), and after `endpointing` ms of silence.

    These are 10 where the client does not say, as Deepgram has it. Words are final no sooner than `final_secs` after
    the last voice.
    """

    path: str = "/v1/listen"
    final_secs: float = 0.0

    def objection(self, query: dict[str, str]) -> str:
        """What is wrong with the query."""
        if "utterance_end_ms" in query and query.get("interim_results") != "true":
            return "Bad Request: utterance_end_ms needs interim_results."
        return missing(query, model="nova-")

    async def serve(self, socket: web.WebSocketResponse, query: dict[str, str]) -> None:
        """Listen to one client."""
        hearing = Hearing(self, rate_hz=int(query["sample_rate"]), gap_secs=GAP_SECS)
        stream = _Stream(self, socket, query, hearing)
        async for message in self.messages(socket):
            match message:
                case bytes():
                    await stream.listen(message)
                case {"type": "Finalize"}:
                    await stream.finalize()
                case {"type": "CloseStream"}:
                    await stream.close()
                    break


class _Stream:
    """What has been heard on one connection."""

    def __init__(
        self, server: DeepgramListen, socket: web.WebSocketResponse, query: dict[str, str], hearing: Hearing
    ) -> None:
        self._server = server
        self._socket = socket
        self._hearing = hearing
        self._request_id = str(uuid.uuid4())
        self._model = query["model"]
        self._interim = query.get("interim_results") == "true"
        self._numbered = 0
        endpointing = query.get("endpointing", "10")
        self._endpoint_secs = None if endpointing == "false" else int(endpointing) / 1000
        self._end_secs = int(query["utterance_end_ms"]) / 1000 if "utterance_end_ms" in query else None
        self._ended_at: float | None = None
        self._settled_at = 0.0
        self.utterances: list[Utterance] = []

    async def listen(self, audio: bytes) -> None:
        """Take audio, tell what it brings."""
        for utterance in self._hearing.hear(audio):
            if utterance is not None:
                await self._follow(utterance)
            await self._tell_end()

    async def finalize(self) -> None:
        """Make final what was heard, and say that this was asked for."""
        if self._hearing.at_secs - self._settled_at >= BUFFERED_SECS:
            quiet_secs = self.utterances[-1].quiet_secs if self.utterances else 0.0
            await asyncio.sleep(max(0.0, self._server.final_secs - quiet_secs))
            await self._settle(from_finalize=True)

    async def close(self) -> None:
        """Make final what was heard, and say how much that was."""
        await self._settle()
        metadata = {
            "type": "Metadata",
            "transaction_key": "deprecated",
            "request_id": self._request_id,
            "sha256": "0" * 64,
            "created": "2026-01-01T00:00:00.000Z",
            "duration": round(self._hearing.at_secs, 3),
            "channels": 1,
        }
        await self._socket.send_json(metadata)

    async def _follow(self, utterance: Utterance) -> None:
        if not self.utterances or self.utterances[-1] is not utterance:
            self.utterances.append(utterance)
            self._ended_at = None
            await self._server.faults.first()
        if utterance.fault == "stall":
            return
        if utterance.spoken > utterance.told:
            utterance.told = utterance.spoken
            await self._misbehave(utterance)
            if self._interim and utterance.told > utterance.settled and not self._is_cut(utterance):
                await self._send_results(is_final=False)
        silence_secs = max(self._endpoint_secs or 0.0, self._server.final_secs, 0.01)
        if self._endpoint_secs is not None and utterance.quiet_secs >= silence_secs:
            await self._settle(speech_final=True)

    async def _misbehave(self, utterance: Utterance) -> None:
        if utterance.fault == "garbage":
            await self._socket.send_str(GARBAGE)
        if utterance.fault == "drop" and self._is_cut(utterance):
            raise Over

    def _is_cut(self, utterance: Utterance) -> bool:
        """Whether the half of it that is answered has been."""
        return utterance.fault in ("drop", "stall_midway") and utterance.told > (len(utterance.words) + 1) // 2

    async def _settle(self, *, speech_final: bool = False, from_finalize: bool = False) -> None:
        fault = self.utterances[-1].fault if self.utterances else None
        if fault == "drop":
            raise Over
        if fault in ("stall", "stall_midway"):
            return
        if speech_final and not any(each.told > each.settled for each in self.utterances):
            return
        await self._send_results(is_final=True, speech_final=speech_final, from_finalize=from_finalize)
        self._settled_at = self._hearing.at_secs
        for utterance in self.utterances:
            utterance.settled = utterance.told
        # What is loud from now on is another utterance, where this one was over.
        if (current := self._hearing.current) is not None and current.quiet_secs >= SETTLED_SECS:
            self._hearing.current = None
        self._ended_at = self._hearing.at_secs

    async def _tell_end(self) -> None:
        if self._end_secs is None or self._ended_at is None:
            return
        if self._hearing.at_secs - self._ended_at >= self._end_secs:
            self._ended_at = None
            last = self.utterances[-1]
            end_secs = last.times(len(last.words) - 1)[1]
            await self._socket.send_json({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": end_secs})

    async def _send_results(self, *, is_final: bool, speech_final: bool = False, from_finalize: bool = False) -> None:
        words = [
            {
                "word": word.strip(".,?!").lower(),
                "punctuated_word": word,
                "start": each.times(index)[0],
                "end": each.times(index)[1],
                "confidence": 0.98,
            }
            for each in self.utterances
            for index, word in enumerate(each.words)
            if each.settled <= index < each.told
        ]
        text = " ".join(word["punctuated_word"] for word in words)
        results: dict[str, Any] = {
            "type": "Results",
            "channel_index": [0, 1],
            "start": round(self._settled_at, 3),
            "duration": round(self._hearing.at_secs - self._settled_at, 3),
            "is_final": is_final,
            "speech_final": speech_final,
            "channel": {"alternatives": [{"transcript": text, "confidence": 0.98 if words else 0.0, "words": words}]},
            "metadata": {
                "request_id": self._request_id,
                "model_info": {"name": self._model, "version": "2026-01-01.0", "arch": "nova-3"},
                "model_uuid": str(uuid.uuid4()),
            },
            "from_finalize": from_finalize,
        }
        await self._socket.send_str(json.dumps(results))
