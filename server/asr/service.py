"""Transcription by the desk."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from bot.desk.client import DeskClient
from bot.desk.requests import AudioForm
from server.asr.schemas import Segment, Transcript
from server.desk import with_problems


def heard(
    desk: DeskClient, audio: AsyncIterator[bytes], form: AudioForm, *, longest_secs: float
) -> AsyncGenerator[dict[str, Any]]:
    """The events of audio as it comes (`ready`, `speech`, `interim`, `final` …, `end`); raises `Problem`."""
    asked = desk.transcribe(audio, form=form.model_dump(), longest_secs=longest_secs)
    return with_problems(asked)


async def transcript(events: AsyncGenerator[dict[str, Any]]) -> Transcript:
    """All of it, once it has ended."""
    segments: list[Segment] = []
    duration = 0.0
    async with aclosing(events):
        async for event in events:
            if event["type"] == "final":
                segments.append(Segment.model_validate(event))
            elif event["type"] == "end":
                duration = event["duration"]
    confidences = [segment.confidence for segment in segments if segment.confidence is not None]
    words = [word for segment in segments for word in segment.words or ()]
    return Transcript(
        text=" ".join(segment.text for segment in segments if segment.text),
        confidence=min(confidences, default=None),
        language=next((segment.language for segment in segments if segment.language), None),
        duration=duration,
        words=None if any(segment.words is None for segment in segments) else words,
        segments=segments,
    )
