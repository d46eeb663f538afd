"""How the bot speaks, as callers ask for it."""

from bot.change import Change, ChosenVoice
from bot.talk.requests import Request
from bot.wording.table import Wording

SLOWEST, FASTEST, STEP = 0.7, 1.5, 0.15
# A step of 4 dB is heard well.
SOFTEST, LOUDEST, TIMES = 0.4, 2.5, 1.6


def changed(request: Request, chosen: Change, words: Wording) -> tuple[Change | None, str] | None:
    """What changes, from how it is, and what is said to it; no change where it is at its end.

    None where the request is about something else. Speed and volume are factors, of the voice's own.
    """
    speed, volume = chosen.tts.speed or 1.0, chosen.tts.volume or 1.0
    match request:
        case Request.SLOWER if speed <= SLOWEST:
            return None, words.slowest
        case Request.SLOWER:
            return _speed(max(SLOWEST, speed - STEP)), words.slower
        case Request.FASTER if speed >= FASTEST:
            return None, words.fastest
        case Request.FASTER:
            return _speed(min(FASTEST, speed + STEP)), words.faster
        case Request.LOUDER if volume >= LOUDEST:
            return None, words.loudest
        case Request.LOUDER:
            return _volume(min(LOUDEST, volume * TIMES)), words.louder
        case Request.QUIETER if volume <= SOFTEST:
            return None, words.quietest
        case Request.QUIETER:
            return _volume(max(SOFTEST, volume / TIMES)), words.quieter
        case _:
            return None


def _speed(speed: float) -> Change:
    return Change(tts=ChosenVoice(speed=round(speed, 2)))


def _volume(volume: float) -> Change:
    return Change(tts=ChosenVoice(volume=round(volume, 2)))
