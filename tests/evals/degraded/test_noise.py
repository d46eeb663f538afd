import numpy as np
import pytest

from evals.caller.audio import RATE_HZ
from evals.degraded.noise import Kind, noise


@pytest.mark.parametrize("kind", ["white", "street", "babble"])
def test_noise_is_level_and_follows_from_its_seed(kind: Kind):
    first, again, other = (noise(kind, RATE_HZ, seed=seed) for seed in (1, 1, 2))
    assert np.sqrt(np.mean(np.square(first))) == pytest.approx(1)
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def share_below(hz: float, kind: Kind) -> float:
    power = np.square(np.abs(np.fft.rfft(noise(kind, 2 * RATE_HZ, seed=1))))
    return float(power[: int(hz * 2)].sum() / power.sum())


def test_a_street_rumbles_and_white_noise_hisses():
    assert share_below(1000, "street") > 0.9
    assert share_below(1000, "white") < 0.1
