"""The arithmetic of repeated runs."""

import pytest

from evals.bench.figures import Figure, compared, percentile, ratio


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [((5.0,), 95, 5.0), ((1.0, 2.0), 50, 1.5), ((3.0, 1.0, 2.0), 100, 3.0), (tuple(range(101)), 95, 95.0)],
)
def test_a_percentile_lies_between_its_neighbours(values: tuple[float, ...], percent: float, found: float):
    assert percentile(values, percent) == found


def test_a_figure_has_its_median_and_its_middle_half():
    figure = Figure("start", "s", (9.0, 1.0, 2.0, 3.0, 4.0))
    assert (figure.median, figure.quartiles) == (3.0, (2.0, 4.0))


@pytest.mark.parametrize(("count", "known"), [(19, False), (20, True)])
def test_few_runs_have_no_95th_percentile(count: int, known: bool):
    assert (Figure("v2v", "ms", tuple(map(float, range(count)))).p95 is not None) is known


def test_a_ratio_is_that_of_the_medians_within_its_interval():
    ours, theirs = [700.0 + n for n in range(30)], [1000.0 + n for n in range(30)]
    middle, low, high = ratio(ours, theirs)
    assert low < middle < high
    assert middle == pytest.approx(714.5 / 1014.5)


def test_what_does_not_differ_has_one_in_its_interval():
    values = [500.0, 700.0, 900.0, 1100.0, 600.0]
    _, low, high = ratio(values, values)
    assert low < 1 < high


def test_a_comparison_names_both():
    note = compared("v2v", Figure("v2v", "ms", (50.0,), "ours"), Figure("v2v", "ms", (100.0,), "theirs"))
    assert note.text == "v2v: ours takes 0.50 (95 %: 0.50–0.50) of what theirs takes"
