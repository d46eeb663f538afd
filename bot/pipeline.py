"""The frame path of a call, as one readable list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from pipecat.pipeline.pipeline import Pipeline
from pipecat.processors.aggregators.llm_context import NOT_GIVEN, LLMContext, LLMContextMessage
from pipecat.processors.aggregators.llm_response_universal import LLMAssistantAggregator, LLMUserAggregator
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.llm_service import LLMService
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.base_transport import BaseTransport

from bot.change import Change
from bot.reports import Message
from bot.settings import BotSettings
from bot.still_asked import UserAggregator
from bot.story import last_words
from bot.talk.history import OnTheMatter
from bot.talk.processor import Choose, TalkProcessor
from bot.tools.toolbox import CallTools
from bot.turns import TurnModels, user_params
from processors.citations import CitationProcessor
from processors.echo import JustSaid
from processors.failover.llm import KeptLLM
from processors.failover.stt import KeptSTT
from processors.failover.tts import KeptTTS
from processors.filler import FillerProcessor
from processors.guess import Guesses
from processors.guesses import GuessGate, GuessMarker, guard_tools
from processors.held_voice import HeldVoice
from processors.last_answer import Answers
from processors.markup import PlainText
from processors.onset import Onset
from processors.quiet import QuietChanges
from processors.retrieval import RetrievalProcessor, Search
from processors.second_look import ResultsUp, SecondLook
from processors.silence import SilenceProcessor
from processors.tape import Tape, TapeProcessor
from processors.volume import VolumeProcessor


@dataclass(frozen=True, slots=True)
class Services:
    """The three that a call listens, thinks and speaks with."""

    stt: STTService | KeptSTT
    llm: LLMService | KeptLLM
    tts: TTSService | KeptTTS

    @property
    def members(self) -> list[FrameProcessor]:
        """Recognisers and language models of which callers are told only what leaves several as one.

        So they hear nothing of words that were given up, or that a model was told to stop.
        """
        kept = [each for each in (self.stt, self.llm) if isinstance(each, KeptSTT | KeptLLM)]
        return [service for each in kept for service in each.services]


@dataclass(frozen=True, slots=True)
class CallPipeline:
    """The pipeline, and those of its members whose events the session hears."""

    pipeline: Pipeline
    context: LLMContext
    user: LLMUserAggregator
    assistant: LLMAssistantAggregator
    citations: CitationProcessor
    silence: SilenceProcessor
    talk: TalkProcessor


def build_pipeline(
    settings: BotSettings,
    *,
    transport: BaseTransport,
    services: Services,
    search: Search,
    models: TurnModels,
    guesses: Guesses,
    chosen: Callable[[], Change],
    choose: Choose,
    story: Sequence[Message] = (),
    before_voice: Sequence[FrameProcessor] = (),
    tools: CallTools | None = None,
) -> CallPipeline:
    """Joins the parts of one call; `story` is what was said in it before, `before_voice` what the channel adds.

    `chosen` is how the bot speaks, and `choose` what a caller changes it by (`TalkProcessor`).
    `tools` are what a language model may call.
    """
    tools = tools or CallTools()
    context = LLMContext(
        cast(list[LLMContextMessage], [*story]), tools=[*tools.schemas] if tools.schemas else NOT_GIVEN
    )
    patience_secs = services.stt.patience_secs if isinstance(services.stt, KeptSTT) else 0.0
    just_said = JustSaid()
    turns = user_params(
        settings.turns, models=models, guesses=guesses, just_said=just_said, patience_secs=patience_secs
    )
    user, assistant = UserAggregator(context, params=turns), LLMAssistantAggregator(context)
    guesses.heard = user.aggregation_string
    guard_tools(services.llm, guesses)
    retrieval = RetrievalProcessor(
        search=OnTheMatter(search, settings.persona.language), limit=settings.retrieval.passages
    )
    answers, tape = Answers(last_words(story)), Tape()
    talk = TalkProcessor(answers=answers, tape=tape, chosen=chosen, choose=choose, words=settings.words)
    itself = f"{settings.persona.name} {settings.persona.business}"
    citations = CitationProcessor(answers=answers, words=settings.words.source, known=itself)
    # Asked once in the middle of the silence that ends a call.
    silence = SilenceProcessor(silent_secs=settings.limits.idle_secs / 2)
    pipeline = Pipeline(
        [
            transport.input(),  # the caller's audio
            services.stt,  # words
            user,  # VAD, turn start and stop, barge-in
            GuessMarker(guesses),  # what is asked before the turn is over
            talk,  # what is asked about the talk itself
            retrieval,  # this turn's passages
            SecondLook(tools.passages, given_up=settings.words.no_answer),  # what tools came to
            services.llm,  # the answer, with markers
            ResultsUp(),
            GuessGate(),  # held until the turn is over
            citations,  # markers → sources, and what they don't say taken out
            PlainText(),  # markup → sentences
            QuietChanges(),  # another voice, once nothing is being said
            *before_voice,  # what is written rather than said
            silence,  # a caller who says nothing
            FillerProcessor(
                fillers=settings.words.fillers, wait_secs=settings.filler_secs
            ),  # a word where an answer is slow
            services.tts,  # speech
            Onset(),  # without the silence that it begins with
            TapeProcessor(tape=tape),  # the last answer, to be heard again
            VolumeProcessor(),  # as loud as it is to be
            transport.output(),  # the caller's loudspeaker
            HeldVoice(output=transport.output(), just_said=just_said),  # held where the caller may speak
            assistant,  # what was actually heard
        ]
    )
    return CallPipeline(
        pipeline=pipeline,
        context=context,
        user=user,
        assistant=assistant,
        citations=citations,
        silence=silence,
        talk=talk,
    )
