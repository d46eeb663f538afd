"""What the bot has just said, to tell its own words from the caller's when they come back from a loudspeaker."""

from collections import deque
from difflib import SequenceMatcher

from knowledge.terms import words

# An echo is heard this long after the words at most: the way out, the room, and the way back.
REMEMBERED_SECS = 8.0
ECHO_WITHIN_SECS = 1.5
# A recogniser gets so many of the words right.
ECHO_SHARE = 0.75


class JustSaid:
    """The words that were last heard of the bot, each with its time in seconds by any clock."""

    def __init__(self) -> None:
        self._said: deque[tuple[float, str]] = deque()

    def note(self, text: str, *, at: float) -> None:
        """Takes words that are heard from then on."""
        self._said.extend((at, word) for word in words(text))
        while self._said and self._said[0][0] < at - REMEMBERED_SECS:
            self._said.popleft()

    def echoes(self, text: str, *, since: float, until: float) -> bool:
        """Whether a stretch of speech that was heard between these times is what was said then, word for word."""
        heard = words(text)
        if not heard:
            return False
        said = [word for at, word in self._said if since - ECHO_WITHIN_SECS <= at <= until]
        matcher = SequenceMatcher(None, said, heard, autojunk=False)
        return sum(block.size for block in matcher.get_matching_blocks()) >= ECHO_SHARE * len(heard)
