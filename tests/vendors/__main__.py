"""The vendors' doubles as a process of their own: `python -m tests.vendors stt/deepgram llm/openai …`.

Writes the variables of a Jarvis that uses them as one JSON line. Then it answers each JSON line that it is told by one
of its own, and ends with its input:

    {"double": "stt/deepgram", "fault": "stall", "times": null}   its next requests fail like this; null is a good one
    {"double": "stt/deepgram", "do": "hang_up" | "freeze"}        its connections are aborted, or stand still
    {"double": "llm/openai", "delay_secs": 0.3, "pace": 4.0}      how long its first byte takes, how fast the rest comes
    {"double": "stt/deepgram", "final_secs": 0.25}                how long after the last voice its words are final
    {"hear": "How late are you open?"}                            what all recognisers understand next
    {"hear_always": "How late are you open?"}                     what they understand where nothing else is next
    {"answer": "We close at six."}                                what language models answer, whatever they are asked
    {"phrases": {"How late are you open?": "until nine"}}         what language models look for in the passages
    {"writes": {"How late are you open?": "Until ten."}}          what they write in the place of what they found
    {"recalls": ["What did you say?"]}                            answered with the answer that the dialogue has
    {"calls": {"Where is it?": {"order_status": {}}}}             tools that OpenAI's calls, with their arguments
    {"caller": ["How late are you open?"]}                        what OpenAI's says where it plays a caller
    {}                                                            the answer is, as always, how often each was asked
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

from tests.vendors.script import Script
from tests.vendors.stands import Stand, served


def take(told: Mapping[str, Any], stands: Mapping[str, Stand], script: Script) -> dict[str, int]:
    """Does what one line says; how often each double was asked before."""
    counts = {name: stand.count for name, stand in stands.items()}
    script.phrases |= told.get("phrases", {})
    script.writes = told.get("writes", script.writes)
    script.recalls = told.get("recalls", script.recalls)
    script.calls = told.get("calls", script.calls)
    script.fixed = told.get("answer", script.fixed)
    script.caller = told.get("caller", script.caller)
    for recogniser in (stand.double for name, stand in stands.items() if name.startswith("stt/")):
        if (heard := told.get("hear")) is not None:
            recogniser.transcripts = [heard]
        recogniser.usually = told.get("hear_always", recogniser.usually)
    if name := told.get("double"):
        double = stands[name].double
        if "fault" in told:
            double.faults.fault, double.faults.times = told["fault"], told.get("times")
        double.faults.delay_secs = told.get("delay_secs", double.faults.delay_secs)
        double.faults.pace = told.get("pace", double.faults.pace)
        if "final_secs" in told:
            double.final_secs = told["final_secs"]
        if told.get("do") == "hang_up":
            double.hang_up()
        elif told.get("do") == "freeze":
            double.freeze()
    return counts


async def main(names: list[str]) -> None:
    """Serves until there is no more input."""
    script, reader = Script(), asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with served(names, script) as (stands, variables):
        print(json.dumps(variables), flush=True)
        async for line in reader:
            print(json.dumps(take(json.loads(line), stands, script)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
