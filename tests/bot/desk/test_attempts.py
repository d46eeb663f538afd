"""A request that one provider fails at and the next answers."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pytest

from bot.desk.attempts import by_any
from bot.desk.errors import DeskBusyError, DeskError, DeskRequestError, DeskUnavailableError
from processors.failover.circuit import Failure, State
from processors.failover.providers import Providers

REFUSED = DeskUnavailableError("its key", failure=Failure.REFUSED)
GONE = DeskUnavailableError("gone", failure=Failure.CONNECTIVITY)
Script = Mapping[str, list[str | DeskError]]


class Asked:
    """Providers a, b and c, which answer by script."""

    def __init__(self, script: Script) -> None:
        self.reports: list[dict[str, Any]] = []
        self.providers = Providers("tts", list("abc"), clock=lambda: 0.0, report=self.reports.append)
        self.names: list[str] = []
        self._script = script

    async def answer(self) -> list[str]:
        return [part async for part in by_any(self.providers, self._ask)]

    async def _ask(self, name: str) -> AsyncGenerator[str]:
        self.names.append(name)
        for part in self._script[name]:
            if isinstance(part, DeskError):
                raise part
            yield part


async def test_the_first_answers_alone():
    asked = Asked({"a": ["one", "two"]})
    assert (await asked.answer(), asked.names) == (["one", "two"], ["a"])


async def test_where_one_fails_before_it_said_anything_the_next_is_asked():
    asked = Asked({"a": [GONE], "b": [GONE], "c": ["three"]})
    assert (await asked.answer(), asked.names) == (["three"], ["a", "b", "c"])


async def test_one_that_fails_in_the_middle_is_not_followed_by_another():
    asked = Asked({"a": ["one", GONE], "b": ["two"]})
    with pytest.raises(DeskUnavailableError, match="gone"):
        await asked.answer()
    assert asked.names == ["a"]


async def test_where_all_fail_the_last_says_so():
    asked = Asked({"a": [GONE], "b": [GONE], "c": [DeskUnavailableError("the last")]})
    with pytest.raises(DeskUnavailableError, match="the last"):
        await asked.answer()


@pytest.mark.parametrize("error", [DeskRequestError("No", "no such voice"), DeskBusyError("later")])
async def test_what_is_no_failure_of_the_provider_is_told_at_once(error: DeskError):
    asked = Asked({"a": [error]})
    with pytest.raises(type(error)):
        await asked.answer()
    assert (asked.names, asked.reports) == (["a"], [])


async def test_one_whose_circuit_opened_is_not_asked_by_the_next_request():
    asked = Asked({"a": [REFUSED], "b": ["two"]})
    await asked.answer()
    await asked.answer()
    assert (asked.names, asked.providers.state("a")) == (["a", "b", "b"], State.OPEN)


async def test_that_another_took_over_is_reported_with_the_reason():
    asked = Asked({"a": [REFUSED], "b": ["two"]})
    await asked.answer()
    assert [report for report in asked.reports if report["type"] == "failover"] == [
        {"type": "failover", "stage": "tts", "from": "a", "to": "b", "reason": "refused"}
    ]


async def test_who_leaves_in_the_middle_leaves_the_probe_to_another():
    now = [0.0]
    providers = Providers("tts", ["a", "b"], clock=lambda: now[0], report=lambda _event: None)
    providers.failed("a", Failure.REFUSED)
    now[0] = 1000.0
    parts = by_any(providers, Asked({"a": ["one", "two"]})._ask)  # pyright: ignore[reportPrivateUsage]
    assert await anext(parts) == "one"
    await parts.aclose()
    assert providers.next() == "a"
