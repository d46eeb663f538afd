"""The judge, asked over the wire."""

import pytest

from evals.judged.judge import judge
from tests.evals.judged.given import judging, model, verdict
from tests.vendors.openai_chat import OpenAIChat


@pytest.mark.parametrize(("choice", "passed"), [("yes", True), ("no", False)])
async def test_a_verdict_of_the_operators_model_counts(choice: str, passed: bool):
    double = OpenAIChat(answer=judging(lambda _: verdict(choice)))
    async with double.serving() as url:
        asked = judge(model(url), explains=False)
        asked.add_user_message("When do you close?")
        asked.add_assistant_message("At six.")
        found = await asked.evaluate("names the hour")
        await asked.close()
    assert (found.passed, asked.gave_up, len(double.asked)) == (passed, False, 1)
    assert "At six." in str(double.asked[0]["messages"])


async def test_nonsense_is_asked_once_more_and_then_no_verdict():
    double = OpenAIChat(answer=judging(lambda _: "Well, it depends."))
    async with double.serving() as url:
        asked = judge(model(url), explains=False)
        asked.add_assistant_message("At six.")
        found = await asked.evaluate("names the hour")
        await asked.close()
    assert (found.passed, asked.gave_up, len(double.asked)) == (False, True, 2)


def test_a_judge_that_the_scenario_names_is_pipecats_to_build():
    asked = judge(None, {"service": "ollama", "model": "tiny", "explainer": False})
    assert (asked.classifier.model, asked.gave_up) == ("tiny", False)
