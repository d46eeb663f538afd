"""What needs no document: greetings, thanks, and who is speaking."""

import re

from bot.talk.fixed import FIXED
from bot.talk.requests import plain, request_of

SORRY_NOT_HEARD = "Sorry, I didn't catch that. Could you say it again?"
NOTHING_FOUND = "I couldn't find that in our documents."
NEAREST = "I couldn't find exactly that in our documents. The nearest is this:"
NOTHING_ASKED = "All right. What would you like to know?"
UNAVAILABLE = "I can't look things up right now. Please try again in a moment."

_REPLIES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.VERBOSE), reply)
    for pattern, reply in (
        (
            r"""(ok\ |okay\ |great\ |perfect\ |lovely\ |wonderful\ |no\ )?
            (thank\ you|thanks|cheers)
            (\ (very\ much|so\ much|a\ lot|you|then|for\ (your|the)\ help|jarvis|
            that('s|\ is|\ s)\ all|that\ was\ (very\ )?(helpful|kind|useful)|goodbye|bye))*""",
            "You're welcome. Is there anything else?",
        ),
        (
            r"""(oh\ )?(hello|hi|hey|good\ (morning|afternoon|evening))
            (\ (there|jarvis|hello|again|good\ (morning|afternoon|evening)))*""",
            "Hello. What would you like to know?",
        ),
        (
            r"""((hello|hi|hey|good\ (morning|afternoon|evening))\ ((there|jarvis)\ )?)?
            (and\ )?how\ are\ you(\ (doing|today|doing\ today|jarvis))?""",
            "I'm well, thank you. What would you like to know?",
        ),
        (
            r"""(it's\ |it\ is\ )?(nice|good|pleased|glad)\ to\ (meet|hear|talk\ to|speak\ to)\ you(\ (too|jarvis))*""",
            "Nice to meet you, too. What would you like to know?",
        ),
        (
            r"""(hello\ |hi\ )?(can|do)\ you\ hear\ me(\ (now|okay|ok|well))?|
            are\ you\ (still\ )?there|is\ (anybody|anyone)\ there""",
            "Yes, I can hear you. What would you like to know?",
        ),
        (
            r"""(who|what)\ are\ you|who\ am\ i\ (talking|speaking)\ (to|with)|who\ is\ (this|there|speaking)|
            what('s|\ is)\ your\ name|are\ you\ (a\ )?(robot|human|real|real\ person|person|machine|computer)|
            what\ can\ you\ do|how\ can\ you\ help(\ me)?|can\ you\ help(\ me)?""",
            "I'm a voice assistant. Ask me a question, and I'll look for the answer in our documents.",
        ),
        (
            r"""(ok|okay|alright|all\ right|i\ see|right|yes|no|great|perfect)(\ (ok|okay|great|good|then))*|
            ((yes|yeah|sorry|hello|oh)\ )*(i'm|i\ am)\ (still\ )?here""",
            NOTHING_ASKED,
        ),
    )
)


def small_talk(text: str) -> str | None:
    """The reply to an utterance that is nothing but small talk, else None."""
    if (request := request_of(text)) is not None:
        return FIXED.get(request)
    words = plain(text)
    return next((reply for pattern, reply in _REPLIES if pattern.fullmatch(words)), None)


def is_aside(text: str) -> bool:
    """Whether an utterance is small talk or about the talk itself: nothing that a later question leans on."""
    return request_of(text) is not None or small_talk(text) is not None
