"""pocketsphinx on one whole utterance: the words, when they were said, and how far they can be trusted."""

import math
from collections.abc import Sequence
from pathlib import Path

import pocketsphinx

from bot.speech.recognition import Recognition, Word
from bot.speech.samples import samples_of
from bot.speech.vocabulary import DICTIONARY_FILE, LANGUAGE_MODEL_FILE, model_path

FRAMES_PER_SEC = 100
LANGUAGE_WEIGHT = 7.5
# The frequency axis of the features, stretched a little: it lowers the word error rate for higher voices most.
VOCAL_TRACT_WARP = "1.1"

# A logistic regression on 259 utterances (synthetic and human, on and off topic, 16 and 8 kHz) of whether at most a
# third of the words were wrong, from the mean posterior probability of the words and from how few they are.
POSTERIOR_WEIGHT = 8.82
FEW_WORDS_WEIGHT = -4.63
BIAS = -4.58


class Recogniser:
    """One decoder, of the given model folder or else of the bundled general model. Blocks, and holds the GIL."""

    def __init__(self, *, model: Path | None) -> None:
        language_model = model / LANGUAGE_MODEL_FILE if model else model_path("en-us.lm.bin")
        dictionary = model / DICTIONARY_FILE if model else model_path("cmudict-en-us.dict")
        self._decoder = pocketsphinx.Decoder(
            hmm=str(model_path("en-us")),
            lm=str(language_model),
            dict=str(dictionary),
            lw=LANGUAGE_WEIGHT,
            warp_type="inverse_linear",
            warp_params=VOCAL_TRACT_WARP,
            loglevel="FATAL",
        )

    def recognise(self, pcm: bytes, *, sample_rate: int) -> Recognition:
        """Recognise an utterance of s16le mono PCM, the whole of it at once: the decoder normalises over it."""
        samples = samples_of(pcm, sample_rate=sample_rate)
        if not len(samples):
            return Recognition("", 0.0, ())
        self._decoder.start_utt()
        self._decoder.process_raw(samples.tobytes(), no_search=False, full_utt=True)
        self._decoder.end_utt()
        if self._decoder.hyp() is None:
            return Recognition("", 0.0, ())
        words = tuple(_word(segment) for segment in self._decoder.seg() if _is_spoken(segment.word))
        return Recognition(
            " ".join(word.word for word in words), utterance_confidence([word.confidence for word in words]), words
        )


def utterance_confidence(posteriors: Sequence[float]) -> float:
    """The probability, 0 to 1, that an utterance of words with these posteriors was understood."""
    if not posteriors:
        return 0.0
    mean = sum(posteriors) / len(posteriors)
    return 1 / (1 + math.exp(-(POSTERIOR_WEIGHT * mean + FEW_WORDS_WEIGHT / len(posteriors) + BIAS)))


def _is_spoken(name: str) -> bool:
    """Whether a segment is a word and not silence, noise or a sentence boundary."""
    return name[0] not in "<[+"


def _word(segment: pocketsphinx.Segment) -> Word:
    return Word(
        segment.word.split("(", 1)[0],
        segment.start_frame / FRAMES_PER_SEC,
        (segment.end_frame + 1) / FRAMES_PER_SEC,
        min(1.0, segment.prob),
    )
