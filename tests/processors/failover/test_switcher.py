"""What stands around any service that others can take the work of."""

import asyncio

from pipecat.frames.frames import ManuallySwitchServiceFrame, TTSUpdateSettingsFrame
from pipecat.services.settings import TTSSettings

from processors.failover.switcher import CHOSEN, SEEN, _Recent
from tests.processors.failover.scripted_tts import Call, ScriptedTTS
from tests.virtual_time import in_virtual_time


def test_only_the_last_ids_are_remembered():
    recent = _Recent()
    for frame_id in range(SEEN + 1):
        recent.add(frame_id)
    assert (0 in recent, 1 in recent, SEEN in recent) == (False, True, True)


@in_virtual_time
async def test_a_switch_in_the_middle_of_an_answer_holds_from_the_next_one_on():
    first, second = ScriptedTTS(), ScriptedTTS()
    async with Call({"first": first, "second": second, "last": ScriptedTTS()}) as call:
        await call.answers("We open at nine.")
        await call.worker.queue_frame(ManuallySwitchServiceFrame(service=second))
        await asyncio.sleep(20)
        await call.answers("We close at six.")
        await asyncio.sleep(20)
    assert call.heard == "We open at nine. We close at six."
    assert (first.asked, second.asked) == (["We open at nine."], ["We close at six."])
    assert [(switch.target, switch.reason) for switch in call.switches] == [("second", CHOSEN)]


@in_virtual_time
async def test_a_switch_to_somebody_elses_service_changes_nothing_here_and_goes_on():
    first, second = ScriptedTTS(), ScriptedTTS()
    async with Call({"first": first, "second": second}) as call:
        await call.worker.queue_frame(ManuallySwitchServiceFrame(service=ScriptedTTS()))
        await call.answers("We open at nine.")
        await asyncio.sleep(20)
    assert (first.asked, second.asked) == (["We open at nine."], [])
    assert any(isinstance(frame, ManuallySwitchServiceFrame) for frame in call.end.frames)


@in_virtual_time
async def test_settings_reach_the_voice_that_is_not_at_work():
    second = ScriptedTTS()
    async with Call({"first": ScriptedTTS(), "second": second}) as call:
        delta = TTSSettings(voice="w")
        await call.worker.queue_frame(TTSUpdateSettingsFrame(delta=delta, service=second))
        await asyncio.sleep(1)
    assert second.settings.given_fields()["voice"] == "w"
