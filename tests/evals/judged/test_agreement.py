"""How far a judge agrees with labelled replies."""

from collections import Counter
from pathlib import Path

import pytest

import evals
from evals.judged.agreement import Agreement, Label, Reply, agreement, by_rules, counted, read_replies
from evals.judged.errors import JudgedError
from knowledge.loaders import load
from tests.evals.judged.given import judging, model, verdict
from tests.vendors.openai_chat import OpenAIChat

HANDBOOK = Path(evals.__file__).parent / "sample" / "handbook"
REPLIES = read_replies()


def test_a_hundred_replies_are_labelled_and_of_many_kinds():
    assert len({each.id for each in REPLIES}) == len({each.reply + each.question for each in REPLIES}) == 100
    labels = Counter(each.label for each in REPLIES)
    assert min(labels["right"], labels["wrong"]) >= 30
    assert {"wrong_number", "unsupported", "source_missing", "right_refusal", "wrong_refusal"} <= {
        each.kind for each in REPLIES
    }


def test_each_passage_stands_in_the_handbook():
    documents = {
        document.title: path.read_text(encoding="utf-8")
        for path in HANDBOOK.glob("*.md")
        for document in [load(str(path), path.read_bytes())]
    }
    assert [each.id for each in REPLIES if each.passage not in documents[each.title]] == []


@pytest.mark.parametrize("kind", ["wrong_number", "source_missing", "wrong_source", "swapped", "wrong_name"])
def test_rules_see_numbers_names_and_sources(kind: str):
    found = [by_rules(each) for each in REPLIES if each.kind == kind]
    assert found.count("wrong") >= 0.8 * len(found)


def reply(label: Label) -> Reply:
    return Reply.model_validate(REPLIES[0].model_dump() | {"label": label})


def test_kappa_is_what_agreement_is_worth_beyond_chance():
    # Cohen's own way of counting: 20 and 15 of 50 agree, by chance one half would.
    found = Agreement("judge", right_right=20, right_wrong=5, wrong_right=10, wrong_wrong=15)
    assert (found.accuracy, found.kappa) == (pytest.approx(0.7), pytest.approx(0.4))
    assert found.kappa_interval == pytest.approx((0.146, 0.654), abs=0.001)


def test_a_judge_that_always_says_right_agrees_no_more_than_chance():
    found = counted("judge", [reply("right"), reply("right"), reply("wrong")], ["right", "right", "right"])
    assert (found.accuracy, found.kappa) == (pytest.approx(2 / 3), 0.0)


def test_what_got_no_verdict_is_told_and_counts_neither_way():
    found = counted("judge", [reply("right"), reply("wrong")], [None, "wrong"])
    assert (found.judged, found.unanswered, found.accuracy, found.missed) == (1, 1, 1.0, ())


async def test_the_judge_is_asked_of_each_reply_and_both_together_are_stricter():
    def decide(asked: str) -> str:
        return "I can't say." if "forty days" in asked else verdict("yes")

    double = OpenAIChat(answer=judging(decide))
    async with double.serving() as url:
        judge, rules, both = await agreement(model(url), REPLIES[:3])
    assert (judge.right_right, judge.wrong_right, judge.unanswered) == (1, 1, 1)
    assert (rules.right_right, rules.wrong_wrong) == (1, 2)
    assert (both.right_right, both.wrong_wrong, both.unanswered) == (1, 2, 0)


async def test_a_judge_that_gives_no_verdict_at_all_is_told():
    double = OpenAIChat(answer=judging(lambda _: "Hm."))
    async with double.serving() as url:
        with pytest.raises(JudgedError, match="Name another model"):
            await agreement(model(url), REPLIES[:1])


def test_a_line_that_is_no_reply_is_told_by_its_place(tmp_path: Path):
    file = tmp_path / "replies.jsonl"
    file.write_text(f'{REPLIES[0].model_dump_json()}\n{{"id": "x"}}\n')
    with pytest.raises(JudgedError, match=r"replies.jsonl:2 is no labelled reply: check question"):
        read_replies(file)
