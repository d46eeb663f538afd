"""VAD, endpointing, interruption: our settings as Pipecat's strategies."""

import copy
from dataclasses import dataclass

from pipecat.audio.turn.smart_turn.base_smart_turn import SmartTurnParams
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.processors.aggregators.llm_response_universal import LLMUserAggregatorParams
from pipecat.turns.empty_user_turn import EmptyUserTurnConfig
from pipecat.turns.user_start import VADUserTurnStartStrategy
from pipecat.turns.user_stop import TurnAnalyzerUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies

from bot.prompts import prompt
from bot.settings import Turns
from bot.turn_start import WordsUserTurnStartStrategy

# A turn is over so long after speech, whether a transcript came or not.
TURN_STOP_SECS = 5.0


@dataclass(frozen=True, slots=True)
class TurnModels:
    """Silero and smart-turn, loaded. One call uses them; forked bots share their memory."""

    vad: SileroVADAnalyzer
    turn: LocalSmartTurnAnalyzerV3

    @classmethod
    def load(cls) -> "TurnModels":
        """Reads both models that Pipecat carries; starts no thread. Their parameters come with the call."""
        return cls(vad=SileroVADAnalyzer(), turn=_without_arena(LocalSmartTurnAnalyzerV3()))

    def detector(self, *, sample_rate: int) -> SileroVADAnalyzer:
        """Silero once more, with a state of its own and the same model in memory."""
        detector, model = copy.copy(self.vad), copy.copy(self.vad._model)
        model.reset_states()
        detector._model = model
        detector._windows_since_reset = detector._low_confidence_windows = 0
        detector.set_sample_rate(sample_rate)
        return detector


def _without_arena(turn: LocalSmartTurnAnalyzerV3) -> LocalSmartTurnAnalyzerV3:
    """The analyzer, its memory given back after each inference.

    ONNX Runtime keeps what an inference took; in a forked bot that is 19 MB for good, for 40 ms a turn.
    """
    session = turn._session
    options = session.get_session_options()
    options.enable_cpu_mem_arena = False
    turn._session = type(session)(vars(session)["_model_path"], sess_options=options)
    return turn


def user_params(settings: Turns, *, models: TurnModels, patience_secs: float = 0.0) -> LLMUserAggregatorParams:
    """What Pipecat's user aggregator is told; a transcript may come `patience_secs` after speech."""
    # The models outlive a call's settings, so these are set on them; they take effect with the pipeline's sample rate.
    models.vad._params = VADParams(
        confidence=settings.vad_confidence,
        start_secs=settings.vad_start_secs,
        stop_secs=settings.vad_stop_secs,
        min_volume=settings.vad_min_volume,
    )
    models.turn._params = SmartTurnParams(stop_secs=settings.max_pause_secs)
    models.turn._stop_ms = settings.max_pause_secs * 1000
    not_heard = prompt("not_heard")
    return LLMUserAggregatorParams(
        vad_analyzer=models.vad,
        user_turn_strategies=UserTurnStrategies(
            start=[VADUserTurnStartStrategy(), WordsUserTurnStartStrategy()],
            stop=[TurnAnalyzerUserTurnStopStrategy(turn_analyzer=models.turn)],
        ),
        user_turn_stop_timeout=max(TURN_STOP_SECS, patience_secs),
        empty_user_turn=EmptyUserTurnConfig(interrupted_prompt=not_heard, idle_prompt=not_heard),
    )
