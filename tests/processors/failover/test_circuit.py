"""A provider's circuit opens, rests, is probed and closes by what is passed in, and by no clock of its own."""

import pytest
from pipecat.utils.errors import ErrorCategory

from processors.failover.circuit import (
    FAILURES,
    LONGEST_REST_SECS,
    PROBE_SECS,
    REST_SECS,
    WINDOW_SECS,
    Circuit,
    Failure,
    State,
    failure_of,
)

NOW = 1000.0


def opened(now: float = NOW) -> Circuit:
    """A circuit that has just opened."""
    circuit = Circuit()
    for _ in range(FAILURES):
        circuit = circuit.failed(now, Failure.SERVER)
    return circuit


def test_a_new_circuit_lets_turns_through():
    assert Circuit().allows(NOW)


def test_it_opens_at_the_third_failure_within_a_minute():
    circuit = Circuit().failed(NOW, Failure.LATE).failed(NOW + 1, Failure.SERVER)
    assert circuit.allows(NOW + 1)
    assert circuit.failed(NOW + 2, Failure.CONNECTIVITY).state(NOW + 2) is State.OPEN


def test_failures_far_apart_do_not_open_it():
    circuit = Circuit()
    for number in range(10):
        circuit = circuit.failed(NOW + number * WINDOW_SECS / 2, Failure.SERVER)
    assert circuit.state(NOW + 10 * WINDOW_SECS) is State.CLOSED


@pytest.mark.parametrize("failure", [Failure.REFUSED, Failure.QUOTA])
def test_what_lasts_opens_it_at_once_and_for_long(failure: Failure):
    circuit = Circuit().failed(NOW, failure)
    assert circuit.rest_secs(NOW) == LONGEST_REST_SECS


def test_a_request_that_is_refused_for_its_own_sake_never_opens_it():
    circuit = Circuit()
    for _ in range(20):
        circuit = circuit.failed(NOW, Failure.INVALID_REQUEST)
    assert circuit == Circuit()


def test_after_the_rest_one_turn_may_try_it():
    circuit = opened()
    after = NOW + REST_SECS
    assert not circuit.allows(after - 0.1)
    assert circuit.allows(after)
    assert not circuit.tried(after).allows(after + 1)


def test_a_probe_that_never_tells_gives_way_to_another():
    after = NOW + REST_SECS
    assert opened().tried(after).allows(after + PROBE_SECS)


def test_a_probe_that_was_interrupted_gives_way_at_once():
    after = NOW + REST_SECS
    assert opened().tried(after).left(after + 1).allows(after + 1)


def test_a_probe_that_works_closes_it():
    assert opened().tried(NOW + REST_SECS).worked() == Circuit()


def test_each_probe_that_fails_doubles_the_rest_up_to_five_minutes():
    circuit, now, rests = opened(), NOW, []
    for _ in range(6):
        rests.append(circuit.rest_secs(now))
        now += circuit.rest_secs(now)
        circuit = circuit.tried(now).failed(now, Failure.SERVER)
    assert rests == [15, 30, 60, 120, 240, 300]


def test_a_turn_that_worked_makes_earlier_failures_forgotten():
    circuit = Circuit().failed(NOW, Failure.SERVER).failed(NOW, Failure.SERVER).worked()
    assert circuit.failed(NOW, Failure.SERVER).state(NOW) is State.CLOSED


def test_it_believes_another_call_that_found_it_open():
    assert Circuit().told(NOW, State.OPEN, rest_secs=30, rests=2).rest_secs(NOW) == 30


def test_it_leaves_the_probe_to_another_call():
    circuit = opened().told(NOW + REST_SECS, State.HALF_OPEN, rest_secs=0, rests=1)
    assert not circuit.allows(NOW + REST_SECS + 1)


def test_it_closes_when_another_call_closed_it():
    assert opened().told(NOW, State.CLOSED, rest_secs=0, rests=0).allows(NOW)


@pytest.mark.parametrize(
    ("category", "failure"),
    [
        (ErrorCategory.AUTHENTICATION, Failure.REFUSED),
        (ErrorCategory.AUTHORIZATION, Failure.REFUSED),
        (ErrorCategory.RATE_LIMIT, Failure.RATE_LIMIT),
        (ErrorCategory.QUOTA, Failure.QUOTA),
        (ErrorCategory.SERVER, Failure.SERVER),
        (ErrorCategory.CONNECTIVITY, Failure.CONNECTIVITY),
        (ErrorCategory.INVALID_REQUEST, Failure.INVALID_REQUEST),
        (ErrorCategory.UNKNOWN, Failure.UNKNOWN),
        (None, Failure.UNKNOWN),
        (ErrorCategory.APPLICATION, None),
    ],
)
def test_an_error_is_named_by_its_category(category: ErrorCategory | None, failure: Failure | None):
    assert failure_of(category) is failure
