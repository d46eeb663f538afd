"""What needs no document: greetings, thanks, and who is speaking."""

import re

from bot.talk.fixed import WITHOUT_ANSWER, fixed
from bot.talk.requests import plain, request_of
from bot.wording.table import Wording

# What is said in small talk, by the field of `Wording` that answers it.
_REPLIES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.VERBOSE), reply)
    for pattern, reply in (
        (
            r"""(ok\ |okay\ |great\ |perfect\ |lovely\ |wonderful\ |no\ )?
            (thank\ you|thanks|cheers)
            (\ (very\ much|so\ much|a\ lot|you|then|for\ (your|the)\ help|jarvis|
            that('s|\ is|\ s)\ all|that\ was\ (very\ )?(helpful|kind|useful)|goodbye|bye))*""",
            "welcome",
        ),
        (
            r"""(oh\ )?(hello|hi|hey|good\ (morning|afternoon|evening))
            (\ (there|jarvis|hello|again|good\ (morning|afternoon|evening)))*""",
            "hello",
        ),
        (
            r"""((hello|hi|hey|good\ (morning|afternoon|evening))\ ((there|jarvis)\ )?)?
            (and\ )?how\ are\ you(\ (doing|today|doing\ today|jarvis))?""",
            "well",
        ),
        (
            r"""(it's\ |it\ is\ )?(nice|good|pleased|glad)\ to\ (meet|hear|talk\ to|speak\ to)\ you(\ (too|jarvis))*""",
            "nice_to_meet",
        ),
        (
            r"""(hello\ |hi\ )?(can|do)\ you\ hear\ me(\ (now|okay|ok|well))?|
            are\ you\ (still\ )?there|is\ (anybody|anyone)\ there""",
            "i_hear_you",
        ),
        (
            r"""(who|what)\ are\ you|who\ am\ i\ (talking|speaking)\ (to|with)|who\ is\ (this|there|speaking)|
            what('s|\ is)\ your\ name|are\ you\ (a\ )?(robot|human|real|real\ person|person|machine|computer)|
            what\ can\ you\ do|how\ can\ you\ help(\ me)?|can\ you\ help(\ me)?""",
            "who_i_am",
        ),
        (
            r"""(ok|okay|alright|all\ right|i\ see|right|yes|no|great|perfect)(\ (ok|okay|great|good|then))*|
            ((yes|yeah|sorry|hello|oh)\ )*(i'm|i\ am)\ (still\ )?here""",
            "nothing_asked",
        ),
    )
)


def small_talk(text: str, words: Wording) -> str | None:
    """The reply to an utterance that is nothing but small talk, else None."""
    if (request := request_of(text)) is not None:
        return fixed(words).get(request)
    kind = _kind(text)
    return None if kind is None else getattr(words, kind)


def is_small_talk(text: str) -> bool:
    """Whether an utterance is nothing but small talk, or a request that is about no answer."""
    request = request_of(text)
    return _kind(text) is not None if request is None else request in WITHOUT_ANSWER


def is_aside(text: str) -> bool:
    """Whether an utterance is small talk or about the talk itself: nothing that a later question leans on."""
    return request_of(text) is not None or _kind(text) is not None


def _kind(text: str) -> str | None:
    words = plain(text)
    return next((kind for pattern, kind in _REPLIES if pattern.fullmatch(words)), None)
