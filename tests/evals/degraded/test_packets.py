from evals.degraded.packets import Fate, fates


def test_a_good_line_loses_and_delays_nothing():
    assert fates(50, lost=0.0, burst=1, jitter_ms=0, seed=1) == [Fate()] * 50


def test_one_seed_has_one_fate():
    first, again, other = (fates(200, lost=0.1, burst=2, jitter_ms=60, seed=seed) for seed in (1, 1, 2))
    assert first == again != other


def test_as_many_are_lost_as_was_said_and_so_many_at_a_time():
    found = [each.lost for each in fates(100_000, lost=0.05, burst=4, jitter_ms=0, seed=1)]
    bursts = sum(lost and not before for lost, before in zip(found, [False, *found], strict=False))
    assert abs(sum(found) / len(found) - 0.05) < 0.005
    assert abs(sum(found) / bursts - 4) < 0.3


def test_none_is_later_than_was_said():
    late = [each.late_ms for each in fates(1000, lost=0.0, burst=1, jitter_ms=60, seed=1)]
    assert 0 <= min(late) < 5
    assert 55 < max(late) <= 60
