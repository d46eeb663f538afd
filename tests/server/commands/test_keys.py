"""`jarvis keys`, on a real database."""

import asyncio
import json
from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool
from typer.testing import CliRunner, Result

from knowledge.database import Database, prepare_connection
from server.auth.keys import parts_of
from server.cli import app
from server.sql import SERVER

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, clean_process: None, database_url: str) -> None:
    """A database without keys."""
    monkeypatch.setenv("DATABASE_URL", database_url)

    async def clear() -> None:
        async with AsyncConnectionPool(
            database_url, min_size=1, max_size=2, open=False, configure=prepare_connection
        ) as pool:
            await Database(pool, package=SERVER).migrate()
            async with pool.connection() as connection:
                await connection.execute("truncate api_keys")

    asyncio.run(clear())


def jarvis(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["keys", *arguments])


def listed() -> list[dict[str, Any]]:
    return json.loads(jarvis("list", "--json").stdout)["keys"]


def test_a_new_key_stands_alone_on_stdout():
    made = jarvis("create", "shop", "--scope", "asr")
    assert made.exit_code == 0
    assert parts_of(made.stdout.strip()) is not None
    assert "only time it is shown" in made.stderr


def test_a_key_is_made_with_what_is_asked_for():
    arguments = ["--scope", "asr", "-s", "tts", "--expires-days", "30", "--per-minute", "7", "--at-once", "2"]
    made = json.loads(jarvis("create", "shop", *arguments, "--json").stdout)
    assert parts_of(made["key"]) is not None
    (key,) = listed()
    assert made["created"] == key
    assert (key["name"], key["scopes"], key["per_minute"], key["at_once"]) == ("shop", ["asr", "tts"], 7, 2)
    assert key["expires_at"] > key["created_at"]


def test_a_key_that_names_no_limits_has_those_of_the_settings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JARVIS_KEY_PER_MINUTE", "11")
    monkeypatch.setenv("JARVIS_KEY_AT_ONCE", "3")
    jarvis("create", "shop", "--scope", "asr")
    assert [(key["per_minute"], key["at_once"]) for key in listed()] == [(11, 3)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shop", "--scope", "root"], "'knowledge:write'"),
        (["", "--scope", "asr"], "name"),
        (["shop", "--scope", "asr", "--expires-days", "0"], "expires_days"),
        (["shop", "--scope", "asr", "--at-once", "0"], "at_once"),
    ],
)
def test_a_key_that_cannot_be_is_not_made(arguments: list[str], said: str):
    refused = jarvis("create", *arguments)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert said in refused.stderr
    assert listed() == []


def test_a_key_needs_a_scope():
    assert jarvis("create", "shop").exit_code == 2


def test_a_list_shows_each_key_and_no_secret():
    key = jarvis("create", "the [shop]", "--scope", "asr").stdout.strip()
    shown = jarvis("list").stdout
    parts = parts_of(key)
    assert parts is not None
    assert parts[0] in shown
    assert "the [shop]" in shown
    assert parts[1] not in shown


def test_an_empty_list_says_how_to_make_a_key():
    assert "jarvis keys create" in jarvis("list").stderr


def test_a_key_is_revoked_by_the_beginning_of_its_id():
    jarvis("create", "shop", "--scope", "asr")
    (key,) = listed()
    revoked = jarvis("revoke", key["id"][:6])
    assert (revoked.exit_code, revoked.stdout) == (0, f"revoked: shop ({key['id']})\n")
    assert [each["state"] for each in listed()] == ["revoked"]


def test_what_is_no_key_is_not_revoked():
    refused = jarvis("revoke", "beef")
    assert (refused.exit_code, "`jarvis keys list` lists them" in refused.stderr) == (1, True)


def test_keys_alone_explains_itself():
    assert "revoke" in jarvis().output
