"""When the caller's turn begins and ends: our settings reach Pipecat's strategies."""

import numpy as np
import pytest
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.turns.user_start import VADUserTurnStartStrategy
from pipecat.turns.user_stop import TurnAnalyzerUserTurnStopStrategy

from bot.prompts import prompt
from bot.settings import Turns
from bot.turn_start import WordsUserTurnStartStrategy
from bot.turns import TurnModels, user_params


@pytest.fixture(scope="module")
def models() -> TurnModels:
    return TurnModels.load()


def test_the_vad_listens_as_it_was_set(models: TurnModels):
    user_params(Turns(vad_confidence=0.6, vad_start_secs=0.1, vad_stop_secs=0.3, vad_min_volume=0.2), models=models)
    vad = models.vad.params
    assert (vad.confidence, vad.start_secs, vad.stop_secs, vad.min_volume) == (0.6, 0.1, 0.3, 0.2)


def test_a_pause_as_long_as_was_set_ends_the_turn(models: TurnModels):
    user_params(Turns(max_pause_secs=2.5), models=models)
    assert (models.turn.params.stop_secs, models.turn._stop_ms) == (2.5, 2500)


def test_a_later_calls_settings_replace_the_earlier_ones(models: TurnModels):
    user_params(Turns(vad_stop_secs=0.8), models=models)
    user_params(Turns(), models=models)
    assert models.vad.params.stop_secs == Turns().vad_stop_secs


def test_a_voice_begins_a_turn_and_smart_turn_ends_it(models: TurnModels):
    params = user_params(Turns(), models=models)
    assert params.vad_analyzer is models.vad
    strategies = params.user_turn_strategies
    assert strategies is not None
    assert [type(s) for s in strategies.start or []] == [VADUserTurnStartStrategy, WordsUserTurnStartStrategy]
    assert [type(s) for s in strategies.stop or []] == [TurnAnalyzerUserTurnStopStrategy]


def test_words_that_were_not_understood_are_asked_for_again(models: TurnModels):
    empty = user_params(Turns(), models=models).empty_user_turn
    assert empty is not None
    assert (empty.interrupted_prompt, empty.idle_prompt) == (prompt("not_heard"), prompt("not_heard"))


def test_smart_turn_keeps_no_memory_from_one_inference_to_the_next(models: TurnModels):
    assert models.turn._session.get_session_options().enable_cpu_mem_arena is False


def test_smart_turn_decides_as_pipecats_own_does(models: TurnModels):
    audio = np.sin(np.arange(3 * 16000, dtype=np.float32) / 20)
    own = LocalSmartTurnAnalyzerV3()._predict_endpoint(audio)
    assert models.turn._predict_endpoint(audio)["probability"] == pytest.approx(own["probability"])


def test_another_detector_hears_the_same_and_disturbs_nobody(models: TurnModels):
    windows = np.random.default_rng(1).integers(-9000, 9000, (20, 512), np.int16)
    models.vad.set_sample_rate(16_000)
    models.vad._model.reset_states()
    alone = [np.asarray(models.vad.voice_confidence(window.tobytes())).item() for window in windows]
    models.vad._model.reset_states()
    another = models.detector(sample_rate=16_000)
    both = [
        [
            np.asarray(vad.voice_confidence(window.tobytes())).item()
            for vad, window in ((models.vad, one), (another, two))
        ]
        for one, two in zip(windows, windows[::-1], strict=True)
    ]
    assert [one for one, _ in both] == pytest.approx(alone)
