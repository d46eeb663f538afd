"""The recogniser's words follow the documents."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import psycopg
import pytest

from bot.speech.client import SpeechClient
from bot.speech.errors import SpeechUnavailableError
from knowledge.errors import KnowledgeUnavailableError
from knowledge.store import Store
from server import vocabulary as vocabulary_module
from server.vocabulary import Vocabulary

NOBODY = "postgresql://127.0.0.1:1/nobody"
PATIENCE_SECS = 10.0


class ScriptedStore:
    """Gives its texts, or raises its errors, in order; the last one again and again."""

    def __init__(self, *answers: list[str] | Exception):
        self._answers = list(answers)

    async def all_texts(self, *, max_characters: int) -> list[str]:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class ScriptedSpeech:
    """Takes words, after it has raised its errors."""

    def __init__(self, *errors: SpeechUnavailableError):
        self._errors = list(errors)
        self.words: asyncio.Queue[list[str]] = asyncio.Queue()

    async def set_vocabulary(self, texts: list[str]) -> None:
        self.words.put_nowait(texts)
        if self._errors:
            raise self._errors.pop(0)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary_module, "SETTLE_SECS", 0)


class Following:
    """Vocabularies that are stopped after the test."""

    def __init__(self) -> None:
        self._started: list[Vocabulary] = []

    async def start(self, store: ScriptedStore, speech: ScriptedSpeech, *, database_url: str = NOBODY) -> Vocabulary:
        vocabulary = Vocabulary(store=cast(Store, store), speech=cast(SpeechClient, speech), database_url=database_url)
        self._started.append(vocabulary)
        await vocabulary.start()
        return vocabulary

    async def stop(self) -> None:
        for vocabulary in self._started:
            await vocabulary.stop()


@pytest.fixture
async def following() -> AsyncIterator[Following]:
    following = Following()
    yield following
    await following.stop()


async def sent(speech: ScriptedSpeech) -> list[str]:
    return await asyncio.wait_for(speech.words.get(), PATIENCE_SECS)


async def test_the_words_are_there_before_the_first_call(following: Following):
    speech = ScriptedSpeech()
    await following.start(ScriptedStore(["Returns"]), speech)
    assert speech.words.get_nowait() == ["Returns"]


async def test_without_documents_the_recogniser_keeps_what_it_has(following: Following):
    speech = ScriptedSpeech()
    await following.start(ScriptedStore([]), speech)
    assert speech.words.empty()


async def test_a_new_speech_process_is_told_the_words_again(following: Following):
    speech = ScriptedSpeech()
    vocabulary = await following.start(ScriptedStore(["old"], ["new"]), speech)
    vocabulary.changed.set()
    assert [await sent(speech), await sent(speech)] == [["old"], ["new"]]


@pytest.mark.parametrize(
    ("store", "speech"),
    [
        (ScriptedStore(KnowledgeUnavailableError("gone"), ["Returns"]), ScriptedSpeech()),
        (ScriptedStore(["Returns"]), ScriptedSpeech(SpeechUnavailableError("gone"))),
    ],
    ids=["store", "speech"],
)
async def test_what_fails_once_is_tried_again_at_the_next_change(
    following: Following, store: ScriptedStore, speech: ScriptedSpeech
):
    vocabulary = await following.start(store, speech)
    while not speech.words.empty():
        speech.words.get_nowait()
    vocabulary.changed.set()
    assert await sent(speech) == ["Returns"]


@pytest.mark.integration
async def test_a_change_of_the_documents_reaches_the_recogniser(following: Following, database_url: str):
    speech = ScriptedSpeech()
    await following.start(ScriptedStore(["old"], ["new"]), speech, database_url=database_url)
    assert await sent(speech) == ["old"]
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await notified_until(connection, speech)
    assert await sent(speech) == ["new"]


async def notified_until(connection: psycopg.AsyncConnection, speech: ScriptedSpeech) -> None:
    """Notifies until somebody listens, since nothing says from when on that is."""
    async with asyncio.timeout(PATIENCE_SECS):
        while speech.words.empty():
            await connection.execute("notify knowledge_changed")
            await asyncio.sleep(0.02)
