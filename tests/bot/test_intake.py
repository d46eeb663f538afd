"""No more sound than time passes, and no endless nonsense."""

from bot.intake import ABUSE_FAULTS, ABUSE_SECS, AHEAD_SECS, TELL_EVERY_SECS, Intake


def test_sound_in_real_time_is_taken_for_as_long_as_it_comes():
    intake = Intake()
    assert all(intake.admits(0.02, now=100 + n * 0.02) for n in range(10_000))


def test_what_a_network_held_back_is_taken_at_once():
    intake = Intake()
    assert intake.admits(AHEAD_SECS, now=100)


def test_what_is_further_ahead_is_not():
    intake = Intake()
    intake.admits(AHEAD_SECS, now=100)
    assert not intake.admits(0.02, now=100)


def test_it_is_taken_again_once_time_has_passed():
    intake = Intake()
    intake.admits(AHEAD_SECS, now=100)
    assert not intake.admits(1, now=100.5)
    assert intake.admits(1, now=101)


def test_three_times_as_much_as_time_passes_is_cut_to_what_passes():
    intake = Intake()
    taken = sum(intake.admits(0.06, now=100 + n * 0.02) for n in range(1500))
    assert 30 <= taken * 0.06 <= 30 + AHEAD_SECS


def test_silence_of_the_sender_earns_no_credit():
    intake = Intake()
    intake.admits(0.02, now=100)
    assert not intake.admits(AHEAD_SECS + 1, now=1000)


def test_a_sender_is_told_once_a_second_of_each_fault():
    intake = Intake()
    assert intake.verdict("not_json", now=0) == "tell"
    assert intake.verdict("not_json", now=TELL_EVERY_SECS / 2) == "ignore"
    assert intake.verdict("odd_length", now=TELL_EVERY_SECS / 2) == "tell"
    assert intake.verdict("not_json", now=TELL_EVERY_SECS) == "tell"


def test_who_goes_on_and_on_is_let_go():
    intake = Intake()
    verdicts = [intake.verdict("not_json", now=n * ABUSE_SECS / ABUSE_FAULTS / 2) for n in range(ABUSE_FAULTS)]
    assert "close" not in verdicts[:-1]
    assert verdicts[-1] == "close"


def test_who_errs_now_and_then_is_not():
    intake = Intake()
    assert all(intake.verdict("not_json", now=n * 0.1) != "close" for n in range(3 * ABUSE_FAULTS))
