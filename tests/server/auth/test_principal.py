"""What somebody may do."""

import pytest

from server.auth.principal import OPERATOR, SCOPES, Principal, Scope


def test_a_scope_opens_what_needs_it_and_nothing_else():
    holder = Principal(id="a", name="shop", scopes=frozenset({"asr"}))
    assert [scope for scope in SCOPES if holder.may(scope)] == ["asr"]


@pytest.mark.parametrize("scope", SCOPES)
def test_the_operator_may_do_everything(scope: Scope):
    assert OPERATOR.may(scope)
