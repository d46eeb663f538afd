"""What a caller of the API is told when something is wrong: problem+json, whatever it is."""

from typing import Annotated

import httpx2
import pytest
from fastapi import FastAPI, Header
from fastapi.testclient import TestClient
from pydantic import AfterValidator, BaseModel, ConfigDict

from server import errors
from server.errors import Problem


def from_zero(count: int) -> int:
    if count < 0:
        raise ValueError("count from 0")
    return count


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    count: Annotated[int, AfterValidator(from_zero)]
    sizes: list[int] = []


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()
    errors.install(app)

    @app.get("/busy")
    async def busy() -> None:
        raise Problem(503, "All lines are busy", "Try again in a moment.", retry_after_secs=15)

    @app.get("/locked")
    async def locked() -> None:
        raise Problem(401, "A token is needed", "Send it.")

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("the password is hunter2")

    @app.post("/count")
    async def count(body: Body, x: Annotated[int, Header()] = 0) -> None: ...

    return TestClient(app, raise_server_exceptions=False)


def problem(response: httpx2.Response) -> tuple[int, str]:
    """Status and title of a response that must be problem+json."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["detail"]
    return response.status_code, body["title"]


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/busy", 503, "All lines are busy"),
        ("GET", "/locked", 401, "A token is needed"),
        ("GET", "/nowhere", 404, "Not Found"),
        ("DELETE", "/busy", 405, "Method Not Allowed"),
        ("POST", "/count", 422, "The request is not valid"),
        ("GET", "/broken", 500, "Something went wrong on our side"),
    ],
)
def test_every_error_is_a_problem(client: TestClient, method: str, path: str, status: int, title: str):
    assert problem(client.request(method, path)) == (status, title)


def test_a_busy_server_says_when_to_try_again(client: TestClient):
    assert client.get("/busy").headers["Retry-After"] == "15"


def test_other_problems_do_not_ask_to_try_again(client: TestClient):
    assert "Retry-After" not in client.get("/locked").headers


def test_a_missing_token_names_how_to_send_one(client: TestClient):
    assert client.get("/locked").headers["WWW-Authenticate"] == "Bearer"


def test_what_is_not_valid_is_named_without_its_value(client: TestClient):
    detail = client.post("/count", json={"count": "secret"}).json()["detail"]
    assert "body.count" in detail
    assert "secret" not in detail


def test_a_request_that_is_wrong_in_many_places_names_the_first(client: TestClient):
    detail = client.post("/count", json={"count": 0, "sizes": ["a"] * 100}).json()["detail"]
    assert "body.sizes.4" in detail
    assert "body.sizes.5" not in detail
    assert "and 95 more" in detail


def test_a_place_with_a_long_name_is_cut_short(client: TestClient):
    assert "a" * 61 not in client.post("/count", json={"count": 0, "a" * 1000: 1}).text


def test_a_rule_of_ours_is_said_in_its_own_words(client: TestClient):
    detail = client.post("/count", json={"count": -1}).json()["detail"]
    assert detail == "body.count: count from 0. See /docs for what is expected."


def test_a_wrong_method_is_told_which_are_right(client: TestClient):
    assert client.delete("/busy").headers["Allow"] == "GET"


def test_an_error_of_ours_keeps_its_text_to_itself(client: TestClient):
    assert "hunter2" not in client.get("/broken").text
