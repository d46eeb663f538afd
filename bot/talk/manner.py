"""How the bot speaks, as callers ask for it."""

from bot.change import Change, ChosenVoice
from bot.talk.requests import Request

SLOWEST, FASTEST, STEP = 0.7, 1.5, 0.15
# A step of 4 dB is heard well.
SOFTEST, LOUDEST, TIMES = 0.4, 2.5, 1.6

AS_SLOW_AS_I_CAN = "I can't speak any slower."
AS_FAST_AS_I_CAN = "I can't speak any faster."
AS_LOUD_AS_I_CAN = "I can't speak any louder."
AS_SOFT_AS_I_CAN = "I can't speak any more quietly."


def changed(request: Request, chosen: Change) -> tuple[Change | None, str] | None:
    """What changes, from how it is, and what is said to it; no change where it is at its end.

    None where the request is about something else. Speed and volume are factors, of the voice's own.
    """
    speed, volume = chosen.tts.speed or 1.0, chosen.tts.volume or 1.0
    match request:
        case Request.SLOWER if speed <= SLOWEST:
            return None, AS_SLOW_AS_I_CAN
        case Request.SLOWER:
            return _speed(max(SLOWEST, speed - STEP)), "All right, I'll speak more slowly."
        case Request.FASTER if speed >= FASTEST:
            return None, AS_FAST_AS_I_CAN
        case Request.FASTER:
            return _speed(min(FASTEST, speed + STEP)), "All right, I'll speak faster."
        case Request.LOUDER if volume >= LOUDEST:
            return None, AS_LOUD_AS_I_CAN
        case Request.LOUDER:
            return _volume(min(LOUDEST, volume * TIMES)), "All right, I'll speak louder."
        case Request.QUIETER if volume <= SOFTEST:
            return None, AS_SOFT_AS_I_CAN
        case Request.QUIETER:
            return _volume(max(SOFTEST, volume / TIMES)), "All right, I'll speak more quietly."
        case _:
            return None


def _speed(speed: float) -> Change:
    return Change(tts=ChosenVoice(speed=round(speed, 2)))


def _volume(volume: float) -> Change:
    return Change(tts=ChosenVoice(volume=round(volume, 2)))
