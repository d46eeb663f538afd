"""Make the recogniser's language model and dictionary from the knowledge's texts, as a program of its own.

`python -m bot.speech.vocabulary FOLDER` reads a JSON list of texts and prints `{"name", "words", "unknown"}`.
A model is a folder `FOLDER/<hash of its texts>` with `lm.arpa` and `words.dict`; it appears whole or not at all.
"""

import hashlib
import json
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

import pocketsphinx

from bot.speech import generic_english, language_model
from bot.speech.pronunciation import arpabet
from bot.speech.spoken_form import spoken_sentences
from bot.speech.voice import Voice

GENERIC_WORDS = 6000
LANGUAGE_MODEL_FILE = "lm.arpa"
DICTIONARY_FILE = "words.dict"
ABOUT_FILE = "about.json"
# Part of every model's name. Raise it when models are made another way.
BUILD_VERSION = b"1"
PRONOUNCING_VOICE = "en-us"
# The one in use, and the one before it, which recognisers may still be loading.
KEPT_MODELS = 2
# Frequent in the telephone speech that the generic model was made from; better never heard than heard by mistake.
UNWANTED = frozenset(
    ("ass", "asshole", "bastard", "bitch", "bullshit", "crap", "damn", "fuck", "fucked", "fucking", "hell", "shit")
)


@dataclass(frozen=True)
class Vocabulary:
    """A model's folder name, how many words it knows, and how many of them the dictionary had lacked."""

    name: str
    words: int
    unknown: int


def built(*, texts: Sequence[str], folder: Path) -> Vocabulary | None:
    """The model of these texts, where it was made before; it counts as the newest from now on."""
    model = folder / _name(texts)
    try:
        about = json.loads((model / ABOUT_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    model.touch()
    return Vocabulary(**about)


def build(*, texts: Sequence[str], folder: Path) -> Vocabulary:
    """Write the model of the texts under `folder` and describe it."""
    knowledge = [sentence for text in texts for sentence in spoken_sentences(text)]
    sentences = language_model.training_sentences(knowledge, common_phrases())
    generic = generic_english.read(model_path("en-us.lm.bin"))
    frequent = [word for word in generic.most_frequent(GENERIC_WORDS) if word not in UNWANTED]
    words = language_model.word_list(sentences, frequent)
    dictionary, unknown = _dictionary(words[2:], _as_written(knowledge))
    words = [word for word in words if word in dictionary or word in words[:2]]
    model = language_model.mixture(language_model.from_sentences(sentences, words), generic.restricted_to(words))
    arpa = language_model.arpa(model, words)
    lines = [
        f"{word}{f'({number})' if number > 1 else ''} {phones}\n"
        for word in words[2:]
        for number, phones in enumerate(dictionary[word], start=1)
    ]
    made = Vocabulary(_name(texts), len(words) - 2, unknown)
    files = {LANGUAGE_MODEL_FILE: arpa, DICTIONARY_FILE: "".join(lines), ABOUT_FILE: json.dumps(asdict(made))}
    _publish(folder / made.name, files)
    for outdated in _newest_first(folder)[KEPT_MODELS:]:
        shutil.rmtree(outdated, ignore_errors=True)
    return made


def newest(folder: Path) -> Path | None:
    """The model that was made last, if any."""
    return next(iter(_newest_first(folder)), None)


def common_phrases() -> list[list[str]]:
    """What callers say whatever the knowledge is about: greetings, answers, the openings of questions."""
    text = resources.files("bot.speech").joinpath("common_phrases.txt").read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines() if line.strip()]


def model_path(name: str) -> Path:
    """A file of pocketsphinx's bundled American English model."""
    return Path(pocketsphinx.get_model_path()) / "en-us" / name


def _name(texts: Sequence[str]) -> str:
    digest = hashlib.sha256(BUILD_VERSION)
    for text in texts:
        digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()[:16]


def _newest_first(folder: Path) -> list[Path]:
    models = [path for path in folder.glob("[!.]*") if (path / DICTIONARY_FILE).exists()]
    return sorted(models, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def _as_written(knowledge: Sequence[Sequence[str]]) -> dict[str, str]:
    """The commonest spelling of each word, since capitals say whether a name is spelled out."""
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in knowledge:
        for word in sentence:
            spellings[word.lower()][word] += 1
    return {word: counts.most_common(1)[0][0] for word, counts in spellings.items()}


def _dictionary(words: Sequence[str], as_written: dict[str, str]) -> tuple[dict[str, list[str]], int]:
    wanted = set(words)
    known: dict[str, list[str]] = defaultdict(list)
    for line in model_path("cmudict-en-us.dict").read_text(encoding="utf-8").splitlines():
        entry, phones = line.split(" ", 1)
        word = entry.split("(", 1)[0]
        if word in wanted:
            known[word].append(phones)
    voice = Voice()
    unknown = [word for word in words if word not in known]
    for word in unknown:
        phones = arpabet(voice.phonemes(as_written.get(word, word), PRONOUNCING_VOICE))
        if phones:
            known[word].append(" ".join(phones))
    return known, len(unknown)


def _publish(target: Path, files: dict[str, str]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=target.parent))
    try:
        for file, content in files.items():
            (draft / file).write_text(content, encoding="utf-8")
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not target.exists():
            raise


def main() -> None:
    """Build one vocabulary from stdin."""
    made = build(texts=json.load(sys.stdin), folder=Path(sys.argv[1]))
    sys.stdout.write(json.dumps(asdict(made)))


if __name__ == "__main__":
    main()
