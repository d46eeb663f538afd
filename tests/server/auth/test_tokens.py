"""Session tokens: good for one session, for a short time."""

import pytest

from server.auth.tokens import SessionTokens
from server.errors import Problem


def tokens(*, key: bytes = b"k" * 32, max_age_secs: int = 60) -> SessionTokens:
    return SessionTokens(key=key, max_age_secs=max_age_secs)


def test_a_token_names_its_session():
    assert tokens().read(tokens().make("abc")) == "abc"


@pytest.mark.parametrize("token", ["", "abc", "é", "a.b.c", "x" * 5000])
def test_what_is_not_a_token_is_refused(token: str):
    with pytest.raises(Problem) as refusal:
        tokens().read(token)
    assert refusal.value.status == 401


def test_a_token_of_another_server_is_refused():
    with pytest.raises(Problem) as refusal:
        tokens().read(tokens(key=b"x" * 32).make("abc"))
    assert refusal.value.status == 401


def test_a_new_token_joins_a_call():
    assert tokens().is_fresh(tokens().make("abc"))


def test_an_old_token_joins_nobody():
    assert not tokens(max_age_secs=-1).is_fresh(tokens().make("abc"))


def test_a_call_under_way_is_not_ended_by_its_tokens_age():
    assert tokens(max_age_secs=-1).read(tokens().make("abc")) == "abc"
