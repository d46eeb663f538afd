"""A text in, speech out: the voice that calls use."""

from collections.abc import AsyncGenerator

from loguru import logger
from pipecat.frames.frames import (
    ErrorFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSUpdateSettingsFrame,
)
from pipecat.services.settings import TTSSettings

from bot.desk.encoding import Encoder
from bot.desk.errors import DeskRequestError, DeskUnavailableError
from bot.desk.line import Line
from bot.desk.requests import SPEECH_HZ, SynthesisRequest
from bot.providers.build import tts_services
from bot.providers.tts import TTSProvider
from bot.settings import BotSettings
from bot.speech.errors import SpeechRequestError
from bot.usage import Meter
from processors.failover.circuit import Failure, failure_of

# A first piece of speech, and each next one, comes by then.
SPEECH_SECS = 20.0
NO_AUDIO = "completed with no audio"


def voice_line(voice: TTSProvider, settings: BotSettings, *, meter: Meter) -> Line:
    """A pipeline that speaks in this voice."""
    services = tts_services(settings.model_copy(update={"tts": (voice,)}))
    for service in services:
        meter.listen("tts", voice, service)
    return Line(services, takes=(TTSStartedFrame, TTSAudioRawFrame, TTSStoppedFrame, LLMFullResponseEndFrame))


async def synthesized(
    request: SynthesisRequest, line: Line, manner: TTSSettings, *, last: bool
) -> AsyncGenerator[bytes]:
    """The speech as it comes, mono at 24 kHz; raises `DeskError`, in mid-speech where the voice breaks off.

    A text of which no sound comes is a failure of the voice, but where it is the `last` one: that finds no words in it.
    """
    encoder = Encoder(request.encoding, rate_hz=SPEECH_HZ)
    await line.put(
        TTSUpdateSettingsFrame(delta=manner),
        LLMFullResponseStartFrame(),
        LLMTextFrame(request.text),
        LLMFullResponseEndFrame(),
    )
    spoke = speaks = False
    while not isinstance(frame := await _next(line, request), LLMFullResponseEndFrame):
        if isinstance(frame, TTSAudioRawFrame):
            spoke = True
            if encoded := encoder.feed(frame.audio):
                yield encoded
        elif isinstance(frame, TTSStartedFrame | TTSStoppedFrame):
            speaks = isinstance(frame, TTSStartedFrame)
    for late in await line.rest():
        _check(late, request)
    if not spoke and last:
        raise DeskRequestError("There is nothing to say", "The voice finds no words in this text; send some.")
    if not spoke:
        raise DeskUnavailableError("The voice gave no sound; send the request again.", failure=Failure.EMPTY)
    if speaks:
        # Pipecat ends the turn all the same where the vendor's connection broke, or fell silent.
        raise DeskUnavailableError("The voice broke off; send the request again.", failure=Failure.STALLED)
    if encoded := encoder.end():
        yield encoded


async def _next(line: Line, request: SynthesisRequest) -> object:
    try:
        frame = await line.next(timeout_secs=SPEECH_SECS)
    except TimeoutError as error:
        detail = "The voice did not answer in time; send the request again."
        raise DeskUnavailableError(detail, failure=Failure.LATE) from error
    _check(frame, request)
    return frame


def _check(frame: object, request: SynthesisRequest) -> None:
    # That there was no sound is judged at the end.
    if not isinstance(frame, ErrorFrame) or NO_AUDIO in frame.error:
        return
    failure = failure_of(frame.category)
    if failure is None:
        return
    if isinstance(frame.exception, SpeechRequestError):
        raise DeskRequestError("This can't be spoken", str(frame.exception))
    if failure is Failure.INVALID_REQUEST and request.voice is not None:
        raise DeskRequestError("This can't be spoken", "The voice refuses the request; see that there is such a voice.")
    logger.warning("a synthesis failed: {}", failure.value)
    raise DeskUnavailableError("The voice failed; send the request again.", failure=failure)
