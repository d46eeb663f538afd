"""What is heard, and when."""

from pydantic import BaseModel, ConfigDict, Field

_WORD = {"word": "sundays", "start": 1.9, "end": 2.42, "confidence": 0.97}
_SEGMENT = {
    "text": "are you open on sundays",
    "start": 0.32,
    "end": 2.9,
    "confidence": 0.95,
    "language": "en-US",
    "words": [_WORD],
}


class HeardWord(BaseModel):
    """A word, in seconds from the beginning of the audio; the confidence runs from 0 to 1."""

    word: str
    start: float
    end: float
    confidence: float


class Segment(BaseModel):
    """A stretch of speech; its text is empty where too little of it was understood to be relied on."""

    text: str
    start: float = Field(description="seconds from the beginning of the audio")
    end: float
    confidence: float | None = Field(description="0 to 1; null where the recogniser tells none")
    language: str | None
    words: list[HeardWord] | None = Field(description="null where the recogniser tells none")


class Transcript(BaseModel):
    """All that was said."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "text": _SEGMENT["text"],
                    "confidence": 0.95,
                    "language": "en-US",
                    "duration": 3.1,
                    "words": [_WORD],
                    "segments": [_SEGMENT],
                }
            ]
        }
    )

    text: str
    confidence: float | None = Field(description="that of the segment that was understood worst; null where none is")
    language: str | None
    duration: float = Field(description="seconds of audio")
    words: list[HeardWord] | None
    segments: list[Segment]
