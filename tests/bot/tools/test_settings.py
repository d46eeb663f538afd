"""What an operator's tool may be, and what it takes of a model."""

from typing import Any

import pytest
from pydantic import ValidationError

from bot.tools.settings import HttpTool, Parameter


def tool(**fields: Any) -> HttpTool:
    return HttpTool.model_validate({"name": "book", "description": "Books.", "url": "https://shop.example/"} | fields)


DAY = Parameter(description="the day", enum=("Monday", "Friday"))
SEATS = Parameter(type="integer", description="how many", required=False)
NAME = Parameter(description="the name", required=False, max_length=5)
TAKES = {"day": DAY, "seats": SEATS, "name": NAME}


@pytest.mark.parametrize(
    ("fields", "asks"),
    [
        ({}, False),
        ({"method": "POST"}, True),
        ({"method": "DELETE"}, True),
        ({"method": "POST", "confirm": False}, False),
        ({"confirm": True}, True),
    ],
)
def test_the_caller_is_asked_before_anything_may_change(fields: dict[str, Any], asks: bool):
    assert tool(**fields).asks_first is asks


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "http://127.0.0.1:8000/x"},
        {"url": "http://localhost/x"},
        {"url": "http://shop.example/x", "allow_http": True},
    ],
)
def test_what_stays_on_this_host_or_is_allowed_may_be_unencrypted(fields: dict[str, Any]):
    assert tool(**fields).url == fields["url"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "http://127.0.0.1.evil.example/x"}, "must be https"),
        ({"url": "https://{host}/x"}, "name its host outright"),
        ({"url": "https://me:key@shop.example/x"}, "name its host outright"),
        ({"url": "https://shop.example/{name}", "parameters": TAKES}, "must be a required parameter"),
        ({"parameters": {"my day": DAY}}, "no name of a parameter"),
        ({"headers": {"Bad Name": "x"}}, "no name of a header"),
    ],
)
def test_what_can_go_wrong_is_refused_at_the_start(fields: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        tool(**fields)


def test_an_enum_has_values_of_its_type():
    with pytest.raises(ValidationError, match="no integer"):
        Parameter(type="integer", description="how many", enum=(1, "two"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"day": "Monday"}, None),
        ({"day": "Friday", "seats": 2}, None),
        ({}, "day is missing"),
        ({"day": "Sunday"}, "day must be one of Monday, Friday"),
        ({"day": "Monday", "seats": "two"}, "seats must be of type integer"),
        ({"day": "Monday", "seats": True}, "seats must be of type integer"),
        ({"day": "Monday", "name": "Annabel"}, "name must have 1 to 5 characters"),
        ({"day": "Monday", "hour": 3}, "no parameter 'hour'"),
    ],
)
def test_a_model_is_told_what_is_wrong_with_its_arguments(arguments: dict[str, Any], said: str | None):
    complaint = tool(parameters=TAKES).complaint(arguments)
    assert complaint is None if said is None else said in (complaint or "")


def test_a_model_is_told_what_a_parameter_takes():
    assert DAY.schema_ == {"type": "string", "description": "the day", "enum": ["Monday", "Friday"]}
