"""What a bot's reports make of a call."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.change import Change, ChosenVoice
from server.ingress.live import RECONNECT_SECS, REPLACEMENTS, REPLACEMENTS_SECS, LiveSession, adopted, call_of
from server.ingress.scripted import ScriptedBot

NOW = datetime(2030, 1, 2, tzinfo=UTC)
ANSWERED = {"type": "answered", "pc_id": "pc-1"}
CONNECTED = {"type": "connected", "at": NOW.timestamp(), "at_mono": 1000.0}
USAGE = {"type": "usage", "added": [], "usd": "0.000000002", "priced": True}
TURN = {"type": "turn", "number": 1, "latency_secs": 0.6404}


def a_session(*events: dict[str, Any]) -> LiveSession:
    session = LiveSession(id="a", bot=ScriptedBot("b1"), server="s1", created_at=NOW)
    for event in events:
        session.fold(event, now_mono=0)
    return session


def beat(cpu_secs: float) -> dict[str, Any]:
    return {"type": "heartbeat", "floor": "bot", "private_mb": 44.5, "cpu_secs": cpu_secs, "loop_lag_secs": 0}


def test_a_call_is_on_once_its_media_is():
    assert (a_session(ANSWERED).state, a_session(ANSWERED, CONNECTED).state) == ("created", "connected")


def test_turns_are_counted_and_the_last_answers_wait_is_known():
    session = a_session(CONNECTED, TURN, TURN)
    assert (session.turns, session.v2v_ms) == (2, 640)


def test_a_call_costs_what_all_its_bots_spent():
    session = a_session(CONNECTED, USAGE, USAGE | {"usd": "0.000000003"})
    session.replaced_by(ScriptedBot("b2"))
    session.fold(USAGE, now_mono=0)
    assert (session.cost_usd, session.record().priced) == (Decimal("0.000000005"), True)


def test_a_call_that_is_taken_over_costs_what_it_cost_before_and_after():
    session = a_session(CONNECTED, USAGE)
    session.replaced_by(ScriptedBot("b2"))
    later = adopted("a", bot=ScriptedBot("b2"), call=call_of(session.record()), server="s2")
    later.fold(USAGE | {"again": True, "priced": False}, now_mono=0)
    assert (later.cost_usd, later.priced) == (Decimal("0.000000004"), False)


def test_a_heartbeat_says_who_speaks_and_what_the_call_takes():
    session = a_session(CONNECTED)
    for second, cpu_secs in enumerate([5.0, 5.2, 5.4]):
        session.fold(beat(cpu_secs), now_mono=second)
    assert (session.floor, session.memory_mb, session.cpu_percent) == ("bot", 44.5, 20.0)


def test_the_reason_of_the_end_is_told():
    assert a_session().fold({"type": "ended", "reason": "idle"}, now_mono=0) == "idle"


def test_the_story_is_what_the_reports_add_up_to():
    told = [
        {"type": "story", "keep": 0, "add": [{"role": "user", "content": "a"}]},
        {"type": "story", "keep": 0, "add": []},
    ]
    assert (len(a_session(told[0]).story), a_session(*told).story) == (1, [])


@pytest.mark.parametrize(("age_secs", "waits_secs"), [(0, 600), (200, 400), (700, 0)])
def test_who_has_not_joined_is_waited_for_while_the_link_is_good_whatever_becomes_of_the_bot(
    age_secs: int, waits_secs: int
):
    session = a_session()
    session.replaced_by(ScriptedBot("b2"))
    assert session.waits_secs(link_secs=600, now=NOW + timedelta(seconds=age_secs)) == waits_secs


def test_who_was_lost_is_waited_for_less_long():
    session = a_session(ANSWERED, CONNECTED)
    session.replaced_by(ScriptedBot("b2"))
    assert session.waits_secs(link_secs=600, now=NOW) == RECONNECT_SECS


def test_another_bot_goes_on_counting_and_waits_for_the_caller():
    session = a_session(ANSWERED, CONNECTED, TURN)
    session.replaced_by(ScriptedBot("b2"))
    assert (session.state, session.bots, session.floor, session.cpu_percent) == ("reconnecting", 2, "nobody", None)
    session.fold(TURN, now_mono=1)
    assert session.turns == 2


def test_a_call_that_nobody_had_joined_is_still_new_with_another_bot():
    session = a_session()
    session.replaced_by(ScriptedBot("b2"))
    assert session.state == "created"


@pytest.mark.parametrize(("apart_secs", "goes_on"), [(0.1, False), (REPLACEMENTS_SECS, True)])
def test_only_bots_that_die_in_quick_succession_end_a_call(apart_secs: float, goes_on: bool):
    session = a_session()
    deaths = [session.may_be_replaced(n * apart_secs) for n in range(REPLACEMENTS + 1)]
    assert deaths == [True] * REPLACEMENTS + [goes_on]


def test_a_call_taken_over_is_what_its_bot_reports_of_it_from_the_beginning():
    first = a_session(ANSWERED, CONNECTED, TURN)
    later = adopted("a", bot=ScriptedBot("b1"), call=call_of(a_session().record()), server="s2")
    for event in (ANSWERED, CONNECTED, TURN):
        later.fold(event, now_mono=0)
    assert later.record() == first.record().model_copy(update={"server": "s2"})


def test_a_call_taken_over_while_its_caller_is_away_waits_for_them():
    call = call_of(a_session(ANSWERED, CONNECTED, TURN).record()) | {"bots": 2}
    session = adopted("a", bot=ScriptedBot("b2"), call=call, server="s2")
    assert (session.state, session.turns, session.bots, session.pc_ids) == ("reconnecting", 1, 2, ["pc-1"])


def test_what_was_chosen_is_known_to_the_next_bot_and_the_next_server():
    session = a_session(
        CONNECTED,
        {"type": "changed", "change": {"llm": "openai", "tts": {"speed": 1.2}}},
        {"type": "changed", "change": {"llm": "google"}},
    )
    chosen = Change(llm="google", tts=ChosenVoice(speed=1.2))
    assert session.details.chosen == chosen
    found = adopted("a", bot=ScriptedBot("b2"), call=call_of(session.record()), server="s2")
    assert found.details.chosen == chosen
