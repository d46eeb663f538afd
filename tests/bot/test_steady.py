"""The time of day that paces a call, whatever becomes of the system's clock."""

import subprocess
import sys


def test_frames_and_tracks_of_a_bot_are_timed_by_it():
    program = """
import bot.steady, time
from pipecat.frames.frames import VADUserStoppedSpeakingFrame
from pipecat.transports.smallwebrtc import transport
bot.steady.CLOCK._offset = -time.monotonic()
assert transport.time.time() < 1
assert VADUserStoppedSpeakingFrame().timestamp < 1
"""
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=60)
