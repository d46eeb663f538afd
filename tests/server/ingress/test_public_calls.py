"""Calls without a key."""

from typing import Any

import pytest
from fastapi.requests import HTTPConnection

from server.auth.fake import FakeLimits
from server.errors import Problem
from server.ingress.public_calls import Public, PublicCalls
from server.ingress.schemas import CreateSession

HERE, ELSEWHERE = "127.0.0.1", "192.0.2.1"


def connection(client: str) -> HTTPConnection:
    return HTTPConnection({"type": "http", "client": (client, 1), "server": ("192.0.2.9", 7860), "headers": []})


def public_calls(who: Public = "everyone", *, limits: FakeLimits | None = None, has_line: bool = True) -> PublicCalls:
    return PublicCalls(who=who, limits=limits or FakeLimits(), per_address=10, per_minute=60, has_line=has_line)


@pytest.mark.parametrize(
    ("who", "client", "is_open"),
    [
        ("this_host", HERE, True),
        ("this_host", ELSEWHERE, False),
        ("everyone", HERE, True),
        ("everyone", ELSEWHERE, True),
        ("nobody", HERE, False),
        ("nobody", ELSEWHERE, False),
    ],
)
async def test_calls_without_a_key_are_open_to_whom_the_operator_says(who: Public, client: str, is_open: bool):
    calls = public_calls(who)
    assert calls.open_to(connection(client)) is is_open
    if is_open:
        await calls.check(CreateSession(), connection(client))
    else:
        with pytest.raises(Problem) as problem:
            await calls.check(CreateSession(), connection(client))
        assert (problem.value.status, problem.value.title) == (401, "A key is needed to start a call")


@pytest.mark.parametrize(
    ("choice", "named"),
    [
        ({"collection": "staff"}, "collection"),
        ({"caller": "customer-77"}, "caller"),
        ({"metadata": {"shop": "north"}}, "metadata"),
        ({"caller": "a", "collection": "b", "wait": True}, "caller, collection"),
    ],
)
async def test_what_is_chosen_of_a_call_needs_a_key(choice: dict[str, Any], named: str):
    with pytest.raises(Problem) as problem:
        await public_calls().check(CreateSession(**choice), connection(HERE))
    assert problem.value.status == 403
    assert f"leave out {named}, or" in problem.value.detail


@pytest.mark.parametrize(
    "said", [{}, {"wait": True}, {"collection": "default", "channel": "webrtc", "metadata": {}, "caller": None}]
)
async def test_the_defaults_may_be_said(said: dict[str, Any]):
    await public_calls().check(CreateSession(**said), connection(HERE))


async def test_a_call_counts_for_its_address_first_and_then_for_all():
    limits = FakeLimits()
    await public_calls(limits=limits).check(CreateSession(), connection(ELSEWHERE))
    assert limits.counted == [("calls", ELSEWHERE), ("calls", "all")]


async def test_who_waits_in_line_is_counted_once_as_a_call_and_then_as_somebody_who_asks():
    limits = FakeLimits()
    await public_calls(limits=limits).check(CreateSession(ticket="t"), connection(ELSEWHERE))
    assert limits.counted == [("address", ELSEWHERE)]


async def test_a_ticket_where_there_is_no_line_is_no_way_around_the_limit():
    limits = FakeLimits()
    calls = public_calls(limits=limits, has_line=False)
    await calls.check(CreateSession(ticket="t"), connection(ELSEWHERE))
    assert limits.counted == [("calls", ELSEWHERE), ("calls", "all")]


async def test_an_address_that_is_over_its_limit_uses_up_nobody_elses():
    class Full(FakeLimits):
        async def count(self, kind: str, of: str, *, per_minute: int, whose: str) -> None:
            await super().count(kind, of, per_minute=per_minute, whose=whose)
            raise Problem(429, "Too many requests", "Try again.")

    limits = Full()
    with pytest.raises(Problem):
        await public_calls(limits=limits).check(CreateSession(), connection(ELSEWHERE))
    assert limits.counted == [("calls", ELSEWHERE)]
