"""What the interface's description says of keys and tokens."""

from typing import Any

import pytest

from server.app import create_app

SCHEMA = create_app().openapi()


def operations() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in SCHEMA["paths"].items()
        for method, operation in methods.items()
    ]


@pytest.mark.parametrize("operation", [pytest.param(each, id=name) for name, each in operations()])
def test_a_route_that_asks_says_what_it_may_refuse_with(operation: dict[str, Any]):
    asked = {name for each in operation.get("security", ()) for name in each}
    refusals = {status for status in ("401", "403", "429") if status in operation["responses"]}
    assert refusals == ({"401", "403", "429"} if asked else set())
    for status in refusals:
        assert "application/problem+json" in operation["responses"][status]["content"]


def test_keys_and_tokens_are_sent_as_bearers():
    schemes = SCHEMA["components"]["securitySchemes"]
    assert {name: (each["type"], each["scheme"]) for name, each in schemes.items()} == {
        "key": ("http", "bearer"),
        "session": ("http", "bearer"),
    }


def test_a_call_may_be_started_with_a_key_or_without():
    assert SCHEMA["paths"]["/api/ingress/session/create"]["post"]["security"] == [{"key": []}, {}]


def test_a_call_may_be_ended_by_its_caller_or_with_a_key():
    assert SCHEMA["paths"]["/api/ingress/session/{session_id}"]["delete"]["security"] == [{"session": []}, {"key": []}]


def test_the_description_is_made_once():
    app = create_app()
    assert app.openapi() is app.openapi()
