"""The caller's end of the line."""

from evals.caller.line import WebRtcLine


async def test_a_line_that_goes_on_with_a_lost_one_has_its_recording_and_what_was_still_to_be_heard_on_it():
    lost = WebRtcLine(only_loopback=True)
    after = lost.successor()
    lost._on_message('{"type": "late"}')
    try:
        assert await after.next_message(1.0) == {"type": "late"}
        assert after.recording is lost.recording
    finally:
        await after.close()
        await lost.close()
