"""Requests about the talk itself, answered at once and without a language model."""

from collections.abc import Callable, Sequence
from typing import Any

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    EagerEndOfTurnCancelFrame,
    Frame,
    InterruptionFrame,
    LLMContextFrame,
    TTSSpeakFrame,
    TTSUpdateSettingsFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.frameworks.rtvi import RTVIServerMessageFrame

from bot.change import Change
from bot.talk.manner import changed
from bot.talk.replies import reply
from bot.talk.requests import Request, request_of
from bot.wording.table import Language, Wording
from processors.frames import GoodbyeFrame, PassagesFrame, RepeatFrame
from processors.last_answer import Answers
from processors.tape import Tape

Choose = Callable[[Change], Sequence[Frame]]
# What is said to these can be asked for again.
_TELLS = (Request.SHORTER, Request.SOURCE, Request.SPELL)


class TalkProcessor(FrameProcessor):
    """Stands between the user aggregator and the retrieval, and takes the contexts that end in a request.

    `answers` knows the last answer and `tape` has its sound. `chosen` is how the bot speaks; `choose` changes that, and
    returns the frames that make the change. `words` are what is said to requests. What a guessed turn asks is done once
    that turn has ended. Event: `on_request(processor, request)`.
    """

    def __init__(
        self,
        *,
        answers: Answers,
        tape: Tape,
        chosen: Callable[[], Change],
        choose: Choose,
        words: Wording,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._words = words
        self._answers = answers
        self._tape = tape
        self._chosen = chosen
        self._choose = choose
        # The last reply that told something of an answer, with that answer's number.
        self._told: tuple[int, str] | None = None
        self._guessed: Request | None = None
        self._turn_ended = False
        self._sounding = False
        # Whether the caller's last words cut the bot's off.
        self._cut = False
        self._register_event_handler("on_request")

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Answers a context that ends in a request; passes on all else."""
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMContextFrame) and direction is FrameDirection.DOWNSTREAM:
            self._guessed = None
            if await self._taken(frame):
                return
        self._note(frame)
        await self.push_frame(frame, direction)
        if isinstance(frame, UserStoppedSpeakingFrame) and self._guessed is not None:
            request, self._guessed = self._guessed, None
            await self._answer(request)

    def _note(self, frame: Frame) -> None:
        match frame:
            case UserStartedSpeakingFrame():
                self._turn_ended = False
            case UserStoppedSpeakingFrame():
                self._turn_ended = True
            case InterruptionFrame():
                self._cut, self._guessed = self._sounding, None
            case EagerEndOfTurnCancelFrame():
                self._guessed = None
            case BotStartedSpeakingFrame():
                self._sounding = True
            case BotStoppedSpeakingFrame():
                self._sounding = False
            case TTSUpdateSettingsFrame():
                self._tape.forget()
            case _:
                pass

    async def _taken(self, frame: LLMContextFrame) -> bool:
        request = asked_in(frame.context, self._words.language)
        if request is None or not self._can(request):
            return False
        if frame.speculation and not self._turn_ended:
            self._guessed = request
        else:
            await self._answer(request)
        return True

    def _can(self, request: Request) -> bool:
        return (
            changed(request, self._chosen(), self._words) is not None
            or reply(request, self._answers.last, self._words) is not None
        )

    async def _answer(self, request: Request) -> None:
        await self._call_event_handler("on_request", request)
        # Nothing is looked up, as for small talk.
        await self.push_frame(PassagesFrame())
        answer = self._answers.last
        if (manner := changed(request, self._chosen(), self._words)) is not None:
            change, words = manner
            if change is not None:
                for each in self._choose(change):
                    self._note(each)
                    await self.push_frame(each)
            # Who cut an answer off to ask for that has not heard the rest of it.
            await self._say(f"{words} {answer.text.strip()}" if self._cut else words)
            return
        words = reply(request, answer, self._words) or ""
        if request in _TELLS:
            self._told = answer.number, words
        elif request is Request.REPEAT and self._told is not None and self._told[0] == answer.number:
            await self._say(self._told[1])
            return
        if request is Request.SOURCE:
            for citation in answer.citations:
                await self.push_frame(RTVIServerMessageFrame(data=dict(citation)))
        if request is Request.REPEAT and self._tape.has(answer.number):
            await self.push_frame(RepeatFrame(words))
            return
        await self._say(words)
        if request is Request.GOODBYE:
            await self.push_frame(GoodbyeFrame())

    async def _say(self, words: str) -> None:
        await self.push_frame(TTSSpeakFrame(words))


def asked_in(context: LLMContext, language: Language) -> Request | None:
    """What the last message asks, where it is the caller's and a request about the talk."""
    last = (context.get_messages() or [None])[-1]
    if not isinstance(last, dict) or last.get("role") != "user" or not isinstance(content := last.get("content"), str):
        return None
    return request_of(content, language)
