"""Speech for tests: answers what it was told to expect, and nothing else."""

from collections.abc import AsyncGenerator, Sequence

from bot.speech.client import SpeechAudio, SpeechWord
from bot.speech.errors import SpeechError
from bot.speech.recognition import Recognition


class FakeSpeech:
    """A sibling of SpeechClient with scripted answers, used up in order; an error among them is raised."""

    def __init__(
        self,
        *,
        recognitions: Sequence[Recognition | SpeechError] = (),
        spoken: Sequence[Sequence[SpeechAudio | SpeechWord | SpeechError]] = (),
    ) -> None:
        self._recognitions = list(recognitions)
        self._spoken = list(spoken)
        self.heard: list[tuple[bytes, int]] = []
        self.texts: list[str] = []
        self.closed = False

    async def recognise(self, pcm: bytes, sample_rate: int) -> Recognition:
        """The next scripted recognition."""
        assert self._recognitions, "An utterance came that no recognition was scripted for."
        self.heard.append((pcm, sample_rate))
        answer = self._recognitions.pop(0)
        if isinstance(answer, SpeechError):
            raise answer
        return answer

    async def synthesize(
        self, text: str, *, voice: str, words_per_minute: int, pitch: int, sample_rate: int
    ) -> AsyncGenerator[SpeechAudio | SpeechWord]:
        """The next scripted speech."""
        assert self._spoken, "A text came that no speech was scripted for."
        self.texts.append(text)
        for part in self._spoken.pop(0):
            if isinstance(part, SpeechError):
                raise part
            yield part

    async def aclose(self) -> None:
        """Fail unless everything scripted was asked for."""
        assert not self._recognitions, "Scripted recognitions were never asked for."
        assert not self._spoken, "Scripted speech was never asked for."
        self.closed = True
