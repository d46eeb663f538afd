"""Where speech begins and ends."""

from collections.abc import Sequence

from bot.desk.segments import WINDOW_BYTES, WINDOW_SAMPLES, Began, Ended, Pauses, Segmenter

PAUSES = Pauses(confidence=0.5, start=2, lead=3, stop=4, long=10, longest=12)


def window(number: int) -> bytes:
    return bytes([number]) * WINDOW_BYTES


def cut(voice: str) -> list[tuple[int, int, list[int]]]:
    """(first window, window behind the last, the windows) of each stretch; `#` is voice, `.` is none."""
    segmenter = Segmenter(PAUSES)
    pieces: list[Began | bytes | Ended] = []
    for number, sign in enumerate(voice):
        pieces += segmenter.feed(window(number), 0.9 if sign == "#" else 0.1)
    return stretches([*pieces, *segmenter.end()])


def stretches(pieces: Sequence[Began | bytes | Ended]) -> list[tuple[int, int, list[int]]]:
    found: list[tuple[int, int, list[int]]] = []
    start, windows = 0, []
    for piece in pieces:
        match piece:
            case Began():
                start, windows = piece.at // WINDOW_SAMPLES, []
            case Ended():
                found.append((start, piece.at // WINDOW_SAMPLES, windows))
            case bytes():
                windows.append(piece[0])
    return found


def test_silence_is_no_speech():
    assert cut("." * 30) == []


def test_one_window_of_voice_is_a_click():
    assert cut("....#......#.....") == []


def test_speech_has_some_silence_before_and_behind_it():
    assert cut("......##...........") == [(3, 12, list(range(3, 12)))]


def test_speech_at_the_very_beginning_has_nothing_before_it():
    assert cut("##......") == [(0, 6, list(range(6)))]


def test_a_short_pause_cuts_nothing():
    assert cut("##..##......") == [(0, 10, list(range(10)))]


def test_two_stretches_overlap_in_nothing():
    assert cut("##....##....") == [(0, 6, list(range(6))), (6, 12, list(range(6, 12)))]


def test_the_end_of_the_audio_ends_speech():
    assert cut(".##") == [(0, 3, [0, 1, 2])]


def test_long_speech_is_cut_where_it_takes_breath():
    first, second = cut("##########.####....")
    assert (first[1], second[0]) == (11, 11)


def test_speech_without_a_breath_is_cut_and_goes_on_at_once():
    assert [(start, end) for start, end, _ in cut("#" * 30)] == [(0, 12), (12, 24), (24, 30)]
