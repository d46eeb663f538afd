"""Who is heard while the bot speaks gets the word, or does not."""

import pytest

from processors.barge_in import BargeIn, Patience, Verdict, Words, meaning

QUIET, CALLER, OTHER, SECS = -70.0, -20.0, -40.0, 0.02


class Line:
    """A caller who was heard at their usual level, and a bot that speaks since second 3."""

    def __init__(self) -> None:
        self.at = 0.0
        self.barge_in = BargeIn(Patience())
        self.hear(QUIET, 0.5)
        self.barge_in.voice_started(self.at)
        self.hear(CALLER, 1.0)
        self.barge_in.voice_stopped(self.at)
        self.hear(QUIET, 1.5)
        self.barge_in.bot_started(self.at)
        self.hear(QUIET, 1.0)

    def hear(self, level: float, secs: float) -> list[Verdict]:
        """What it says to so many seconds of sound."""
        said: list[Verdict | None] = []
        for _ in range(round(secs / SECS)):
            self.at += SECS
            said.append(self.barge_in.sound(level, secs=SECS, at=self.at))
        return [each for each in said if each is not None]

    def speak(self, level: float, secs: float) -> list[Verdict]:
        """The same for a voice that the VAD hears after 60 ms and misses after 200."""
        said = self.hear(level, 0.06)
        verdict = self.barge_in.voice_started(self.at)
        after = self.hear(level, secs - 0.06) + self.hear(QUIET, 0.2)
        self.barge_in.voice_stopped(self.at)
        return [*said, *([verdict] if verdict else []), *after]

    def words(self, text: str, *, final: bool = True, echo: bool = False) -> Verdict | None:
        """What it says to words."""
        return self.barge_in.words(text, final=final, echo=echo, at=self.at)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", Words.NOTHING),
        (" ", Words.NOTHING),
        ("Mm-hm.", Words.AGREEING),
        ("yeah, right, okay", Words.AGREEING),
        ("Oh, I see. Of course!", Words.AGREEING),
        ("Stop.", Words.STOPPING),
        ("No, that's wrong", Words.STOPPING),
        ("hold on a second", Words.STOPPING),
        ("What about Sunday?", Words.SAYING),
        ("yes but on Sunday", Words.SAYING),
        ("right next to the station", Words.SAYING),
    ],
)
def test_words_agree_or_stop_or_say_something(text: str, found: Words):
    assert meaning(text) is found


def test_the_voice_is_held_within_40_ms_and_a_long_one_gets_the_word():
    line = Line()
    assert line.hear(CALLER, 0.04) == ["hold"]
    line.barge_in.voice_started(line.at)
    assert line.hear(CALLER, 0.6) == []
    assert line.hear(CALLER, 0.2) == ["stop"]


def test_a_noise_that_is_no_voice_holds_it_for_a_quarter_of_a_second():
    line = Line()
    assert line.hear(CALLER, 0.1) == ["hold"]
    assert line.hear(QUIET, 0.3) == ["resume"]


def test_after_a_noise_only_a_voice_holds_it_for_a_while():
    line = Line()
    line.hear(CALLER, 0.1)
    line.hear(QUIET, 0.5)
    assert line.hear(CALLER, 0.1) == []
    assert line.barge_in.voice_started(line.at) == "hold"


@pytest.mark.parametrize("text", ["mm-hm", "Right.", "", "okay yeah"])
def test_who_only_agrees_is_talked_on_to(text: str):
    line = Line()
    assert line.speak(CALLER, 0.4) == ["hold"]
    assert line.words(text) == "resume"


def test_without_any_words_a_short_voice_is_talked_on_to_as_well():
    line = Line()
    line.speak(CALLER, 0.4)
    assert line.hear(QUIET, 0.7) == ["resume"]


@pytest.mark.parametrize("text", ["Stop.", "wait", "No", "what time"])
def test_a_short_word_gets_the_word(text: str):
    line = Line()
    line.speak(CALLER, 0.4)
    assert line.words(text) == "stop"


def test_words_that_agree_so_far_are_given_more_time():
    line = Line()
    line.hear(CALLER, 0.06)
    line.barge_in.voice_started(line.at)
    assert line.words("yeah right", final=False) is None
    assert line.hear(CALLER, 1.2) == []
    assert line.words("yeah right but what about Sunday", final=False) == "stop"


def test_somebody_else_in_the_room_does_not_hold_it_nor_do_their_words():
    line = Line()
    assert line.speak(OTHER, 2.0) == []
    assert line.words("did you see the game") == "drop"


def test_a_cough_over_somebody_elses_talk_gets_no_word():
    line = Line()
    line.hear(OTHER, 0.06)
    line.barge_in.voice_started(line.at)
    assert line.hear(OTHER, 3.0) == []
    assert line.hear(CALLER, 0.3) == ["hold"]


def test_stop_is_heard_of_a_soft_voice_too():
    line = Line()
    line.speak(OTHER, 0.4)
    assert line.words("Stop.") == "stop"


def test_a_caller_who_always_speaks_softly_is_no_one_else():
    barge_in, at = BargeIn(Patience()), 0.0
    barge_in.voice_started(at)
    barge_in.sound(-52.0, secs=1.0, at=1.0)
    barge_in.voice_stopped(1.0)
    barge_in.bot_started(2.0)
    barge_in.sound(-80.0, secs=0.5, at=2.5)
    assert [barge_in.sound(-52.0, secs=SECS, at=at) for at in (2.52, 2.54)] == [None, "hold"]


def test_the_bots_own_words_are_dropped_and_its_level_is_learnt():
    line = Line()
    line.speak(CALLER - 10, 0.4)
    assert line.words("opens at nine", echo=True) == "resume"
    assert line.speak(CALLER - 10, 0.4) == []
    assert line.speak(CALLER, 0.4) == ["hold"]


def test_a_no_is_the_callers_though_the_bot_just_said_it():
    line = Line()
    line.speak(CALLER, 0.4)
    assert line.words("No.", echo=True) == "stop"


def test_a_voice_that_comes_and_goes_with_the_bots_is_not_held_for_a_fourth_time():
    line = Line()
    line.hear(QUIET, 3.0)
    holds = 0
    for _ in range(5):
        line.barge_in.bot_started(line.at)
        line.hear(QUIET, 0.2)
        holds += line.speak(CALLER - 10, 0.2).count("hold")
        line.hear(QUIET, 0.7)
    assert holds == 3


@pytest.mark.parametrize(("text", "verdict"), [("hello", "stop"), ("mm-hm", "stop"), (" ", None)])
def test_while_the_bot_is_silent_any_words_begin_a_turn(text: str, verdict: Verdict | None):
    assert BargeIn(Patience()).words(text, final=True, echo=False, at=1.0) == verdict


def test_while_the_bot_is_silent_voice_begins_a_turn():
    assert BargeIn(Patience()).voice_started(1.0) == "stop"
