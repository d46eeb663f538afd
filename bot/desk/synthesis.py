"""A text in, speech out: the voice that calls use."""

from collections.abc import AsyncGenerator

from loguru import logger
from pipecat.frames.frames import (
    ErrorFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSUpdateSettingsFrame,
)

from bot.desk.encoding import Encoder
from bot.desk.errors import DeskRequestError, DeskUnavailableError
from bot.desk.line import Line
from bot.desk.requests import SPEECH_HZ, SynthesisRequest
from bot.providers.build import tts_services
from bot.settings import BotSettings
from bot.speech.errors import SpeechRequestError
from bot.usage import Meter

# A first piece of speech, and each next one, comes by then.
SPEECH_SECS = 20.0
NO_AUDIO = "completed with no audio"


def voice_line(settings: BotSettings, *, meter: Meter) -> Line:
    """A pipeline that speaks."""
    service = tts_services(settings)[0]
    meter.listen("tts", settings.tts[0], service)
    return Line([service], takes=(TTSAudioRawFrame, LLMFullResponseEndFrame))


async def synthesized(request: SynthesisRequest, line: Line, settings: BotSettings) -> AsyncGenerator[bytes]:
    """The speech as it comes, mono at 24 kHz; raises `DeskError`."""
    encoder = Encoder(request.encoding, rate_hz=SPEECH_HZ)
    manner = settings.tts[0].manner(voice=request.voice, speed=request.speed)
    await line.put(
        TTSUpdateSettingsFrame(delta=manner),
        LLMFullResponseStartFrame(),
        LLMTextFrame(request.text),
        LLMFullResponseEndFrame(),
    )
    spoke = False
    while not isinstance(frame := await _next(line), LLMFullResponseEndFrame):
        if isinstance(frame, TTSAudioRawFrame):
            spoke = True
            if encoded := encoder.feed(frame.audio):
                yield encoded
    for late in await line.rest():
        _check(late)
    if not spoke:
        raise DeskRequestError("There is nothing to say", "The voice finds no words in this text; send some.")
    if encoded := encoder.end():
        yield encoded


async def _next(line: Line) -> object:
    try:
        frame = await line.next(timeout_secs=SPEECH_SECS)
    except TimeoutError as error:
        raise DeskUnavailableError("The voice did not answer in time; send the request again.") from error
    _check(frame)
    return frame


def _check(frame: object) -> None:
    # What Pipecat says of a text without words.
    if not isinstance(frame, ErrorFrame) or NO_AUDIO in frame.error:
        return
    if isinstance(frame.exception, SpeechRequestError):
        raise DeskRequestError("This can't be spoken", str(frame.exception))
    logger.warning("a synthesis failed: {}", frame.category)
    raise DeskUnavailableError("The voice failed; send the request again.")
