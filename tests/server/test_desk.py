"""What is known of the desk without asking it."""

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from bot.desk.errors import DeskBusyError, DeskRequestError, DeskUnavailableError
from server import desk as module
from server.desk import PATIENCE, Desk, problem_of


class Client:
    """Answers `health` by script, the last one for ever."""

    def __init__(self, *answers: dict[str, bool] | Exception, usage: Sequence[Any] = ()) -> None:
        self._answers = list(answers)
        self._usage = list(usage)
        self.asked = 0
        self.days: list[str] = []

    async def budget(self, day: str) -> list[Any]:
        self.days.append(day)
        answer = self._usage.pop(0) if self._usage else []
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def health(self) -> dict[str, bool]:
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASK_EVERY_SECS", 0)


def a_desk(client: Client, process: Any) -> Desk:
    return Desk(client=client, process=process)  # pyright: ignore[reportArgumentType]


async def test_what_the_desk_says_of_its_services_is_known():
    client = Client({"asr": True, "llm": False})
    desk = a_desk(client, SimpleNamespace(pid=1))
    async with desk.watched():
        await until(lambda: client.asked > 1)
    assert [desk.able(service) for service in ("asr", "llm", "tts")] == [True, False, False]


async def test_a_desk_whose_process_is_gone_is_able_to_do_nothing():
    client, process = Client({"asr": True}), SimpleNamespace(pid=1)
    desk = a_desk(client, process)
    async with desk.watched():
        await until(lambda: client.asked > 1)
        process.pid = None
        assert not desk.able("asr")


async def test_a_desk_that_does_not_answer_again_and_again_is_ended():
    killed: list[int] = []
    client = Client({"asr": True}, DeskUnavailableError("x"))
    desk = a_desk(client, SimpleNamespace(pid=1, kill=lambda: killed.append(client.asked)))
    async with desk.watched():
        await until(lambda: bool(killed))
    assert killed[0] == 1 + PATIENCE
    assert not desk.able("asr")


async def test_what_requests_cost_is_entered_once_and_the_desk_is_told_what_the_day_leaves():
    client = Client({}, usage=[[{"usd": "1"}], DeskUnavailableError("x"), [{"usd": "2"}, {"usd": "3"}]])
    entered: list[Any] = []
    ledger: Any = SimpleNamespace(level="cheap", enter=entered.append)
    async with a_desk(client, SimpleNamespace(pid=1)).accounted(ledger):
        await until(lambda: len(client.days) > 4)
    assert ([event["usd"] for event in entered], {*client.days}) == (["1", "2", "3"], {"cheap"})


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (DeskRequestError("T", "D", status=413), 413, None),
        (DeskBusyError("D"), 503, 1),
        (DeskUnavailableError("D"), 503, 1),
    ],
)
def test_each_error_of_the_desk_is_a_problem(error: Any, status: int, retry: int | None):
    problem = problem_of(error)
    assert (problem.status, problem.detail, problem.retry_after_secs) == (status, "D", retry)
