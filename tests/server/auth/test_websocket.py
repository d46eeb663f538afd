"""Where a websocket's token is looked for."""

import pytest

from server.auth.websocket import token_of
from server.errors import Problem


@pytest.mark.parametrize(
    ("authorization", "subprotocols"),
    [
        ("Bearer abc", []),
        ("bearer  abc ", ["jarvis.audio"]),
        (None, ["jarvis.audio", "jarvis.token.abc"]),
        ("Basic xyz", ["jarvis.token.abc"]),
    ],
)
def test_it_stands_in_the_header_or_in_a_subprotocol(authorization: str | None, subprotocols: list[str]):
    assert token_of(authorization, subprotocols) == "abc"


@pytest.mark.parametrize(
    ("authorization", "subprotocols"),
    [(None, []), ("", []), ("Bearer", []), ("Bearer ", []), ("abc", []), (None, ["jarvis.audio"]), (None, ["abc"])],
)
def test_who_shows_none_is_told_where_to_put_it(authorization: str | None, subprotocols: list[str]):
    with pytest.raises(Problem) as problem:
        token_of(authorization, subprotocols)
    assert problem.value.status == 401
    assert "jarvis.token." in problem.value.detail
