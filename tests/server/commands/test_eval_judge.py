"""`jarvis eval judge`."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evals.judged.agreement import read_replies
from server.cli import app
from tests.evals.judged.given import judging, verdict
from tests.vendors.openai_chat import KEY, OpenAIChat


def jarvis(*arguments: str | Path, **environment: str | None):
    cleared = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "JARVIS_LLM"))
    return CliRunner().invoke(app, ["eval", *map(str, arguments)], env={**cleared, **environment})


@pytest.fixture
def judge_url() -> Iterator[str]:
    """A judge that calls everything right, served from another thread: the command has a loop of its own."""
    loop, ready, urls = asyncio.new_event_loop(), threading.Event(), []
    done = asyncio.Event()

    async def serve() -> None:
        async with OpenAIChat(answer=judging(lambda _: verdict("yes"))).serving() as url:
            urls.append(url)
            ready.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield urls[0]
    loop.call_soon_threadsafe(done.set)
    thread.join(10)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    file = tmp_path / "replies.jsonl"
    file.write_text("".join(f"{each.model_dump_json()}\n" for each in read_replies()[:4]))
    return file


def test_the_judge_is_held_against_labelled_replies(judge_url: str, labelled: Path):
    done = jarvis("judge", "--replies", labelled, "--json", OPENAI_API_KEY=KEY, OPENAI_BASE_URL=judge_url)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    judge = told["agreement"][0]
    assert (judge["name"], judge["right_right"], judge["wrong_right"], judge["kappa"]) == ("judge", 2, 2, 0.0)
    assert told["model"].startswith("openai ")


def test_without_a_key_it_says_what_to_set():
    done = jarvis("judge")
    assert done.exit_code == 2
    assert "Set OPENAI_API_KEY" in done.stderr


def test_a_live_suite_without_a_key_says_what_to_set(tmp_path: Path):
    done = jarvis("run", "--live", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "Set OPENAI_API_KEY" in done.stderr
    assert not (tmp_path / "out").exists()
