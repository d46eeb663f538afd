"""How the bot speaks, as callers ask for it."""

from bot.change import Change, ChosenVoice
from bot.talk.requests import Request

SLOWEST, FASTEST = 0.7, 1.5
STEP = 0.15

AS_SLOW_AS_I_CAN = "I can't speak any slower."
AS_FAST_AS_I_CAN = "I can't speak any faster."


def changed(request: Request, chosen: Change) -> tuple[Change | None, str] | None:
    """What changes, from how it is, and what is said to it; no change where it is at its end.

    None where the request is about something else. A speed is a factor, of the voice's own.
    """
    speed = chosen.tts.speed or 1.0
    match request:
        case Request.SLOWER if speed <= SLOWEST:
            return None, AS_SLOW_AS_I_CAN
        case Request.SLOWER:
            return _speed(max(SLOWEST, speed - STEP)), "All right, I'll speak more slowly."
        case Request.FASTER if speed >= FASTEST:
            return None, AS_FAST_AS_I_CAN
        case Request.FASTER:
            return _speed(min(FASTEST, speed + STEP)), "All right, I'll speak faster."
        case _:
            return None


def _speed(speed: float) -> Change:
    return Change(tts=ChosenVoice(speed=round(speed, 2)))
