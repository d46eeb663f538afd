import base64
import json
from typing import Any

import pytest

from server.records.schemas import Call, Calls, cursor_of, place_of
from server.records.store import Place
from tests.server.records.conftest import NOON, a_call


def a_row(call_id: str = "a", **changes: Any) -> dict[str, Any]:
    call = a_call(call_id)
    fields = {name: getattr(call, name) for name in call.__slots__}
    return {**fields, "interruptions": 1, "unsupported": 0, "v2v_p50_secs": 0.7104, "v2v_max_secs": None, **changes}


def test_waits_are_sent_in_milliseconds():
    call = Call.of(a_row())
    assert (call.v2v_p50_ms, call.v2v_max_ms) == (710, None)


def test_a_cursor_names_a_place():
    row = a_row(created_at=NOON.replace(microsecond=123457))
    assert place_of(cursor_of(row)) == Place(row["created_at"], "a")


def test_only_where_more_come_there_is_a_cursor():
    rows = [a_row("a"), a_row("b")]
    assert Calls.of(rows, limit=2).next is None
    cut = Calls.of(rows, limit=1)
    assert ([call.id for call in cut.calls], cut.next) == (["a"], cursor_of(rows[0]))
    assert Calls.of([], limit=1) == Calls(calls=[], next=None)


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "ä",
        "x",
        "!!!!",
        encoded("a"),
        encoded([1, "a"]),
        encoded(["2030-01-02", "a"]),
        encoded(["2030-01-02T00:00:00+00:00", 7]),
        encoded(["2030-01-02T00:00:00+00:00", "\0"]),
        encoded(["2030-01-02T00:00:00+00:00", "\ud800"]),
        encoded(["never", "a"]),
        encoded({"a": 1, "b": 2}),
        encoded([]),
        encoded(7),
    ],
)
def test_what_is_no_cursor_is_refused(cursor: str):
    with pytest.raises(ValueError, match="not a cursor"):
        place_of(cursor)
