"""The document's client, as a module, and the ends of the line that it is given."""

import numpy as np
import pytest

from evals.caller.audio import RATE_HZ
from evals.documented import CLIENT, OPUS, ProgramLine, documented, opus_halves

HZ = 16_000
PIECE = HZ // 50
TONE = (8000 * np.sin(np.arange(RATE_HZ // 10) / 20)).astype(np.int16)


class Loudspeaker:
    """The document's, on a clock that is set."""

    def __init__(self) -> None:
        self.played = bytearray()
        self.secs = 0.0

    def now(self) -> int:
        return round(self.secs * HZ) * 2

    def play(self, pcm: bytes) -> None:
        self.played += bytes(max(0, self.now() - len(self.played))) + pcm

    def drop(self) -> None:
        del self.played[self.now() :]


@pytest.fixture
def line() -> ProgramLine:
    return ProgramLine(rate_hz=HZ, loudspeaker=Loudspeaker())


@pytest.mark.parametrize(("mark", "has"), [(CLIENT, "call"), (CLIENT, "Loudspeaker"), (OPUS, "encoder")])
def test_the_document_has_the_client(mark: str, has: str):
    assert hasattr(documented(mark), has)


def test_the_documents_opus_is_heard_by_the_documents_opus():
    halves = opus_halves()
    assert len(halves["decode"](halves["encode"](bytes(1920)))) == 1920


def test_the_documents_loudspeaker_keeps_what_comes_while_something_is_played():
    loudspeaker = documented(CLIENT).Loudspeaker(HZ)
    loudspeaker.play(b"\x01\x00" * HZ)
    loudspeaker.play(b"\x02\x00" * HZ)
    assert loudspeaker.played.endswith(b"\x01\x00" * HZ + b"\x02\x00" * HZ)


def test_the_documents_loudspeaker_drops_what_was_not_played():
    loudspeaker = documented(CLIENT).Loudspeaker(HZ)
    loudspeaker.play(bytes(2 * HZ * 60))
    loudspeaker.drop()
    assert len(loudspeaker.played) < 2 * HZ * 30


def test_a_program_that_reads_the_microphone_gets_what_is_said_and_else_silence(line: ProgramLine):
    assert line.readframes(PIECE) == bytes(PIECE * 2)
    line.say(TONE)
    read = [line.readframes(PIECE) for _ in range(6)]
    assert [any(piece) for piece in read] == [True] * 5 + [False]


def test_it_gets_nothing_once_the_caller_has_nothing_more_to_say(line: ProgramLine):
    line.hang_up()
    assert line.readframes(PIECE) == b""


def test_what_was_said_lies_where_it_was_read(line: ProgramLine):
    line.say(TONE)
    for number in range(5):
        line.loudspeaker.secs = 1 + number * 0.02
        line.readframes(PIECE)
    assert line.spoken is not None
    assert line.spoken.stop == round(1.08 * RATE_HZ)
    assert line.spoken.stop - line.spoken.start == TONE.size


def test_what_the_bot_said_lies_where_it_was_played_and_what_was_dropped_nowhere(line: ProgramLine):
    line.loudspeaker.secs = 1.0
    line.play(b"\x10\x27" * HZ)
    line.loudspeaker.secs = 1.5
    line.drop()
    heard = np.flatnonzero(line.recording.bot)
    assert (heard[0], heard[-1] + 1) == (RATE_HZ, round(1.5 * RATE_HZ))
