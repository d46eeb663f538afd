"""What is said to requests that are about no answer."""

from collections.abc import Mapping

from bot.talk.requests import Request

GOODBYE = "Goodbye, and thank you for calling."
TAKE_YOUR_TIME = "Of course. Take your time."
ALL_RIGHT = "All right."
FIXED: Mapping[Request, str] = {
    Request.GOODBYE: GOODBYE,
    Request.WAIT: TAKE_YOUR_TIME,
    Request.STOP: ALL_RIGHT,
}
