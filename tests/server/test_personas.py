"""The operator's files of personas."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.persona import Persona
from bot.providers.deepgram import DeepgramSTT
from bot.providers.embedded import EmbeddedSTT, EmbeddedTTS
from bot.providers.google import GoogleTTS
from bot.settings import BotSettings, Retrieval
from bot.speech.client import SpeechAudio
from bot.speech.errors import SpeechError, SpeechRequestError, SpeechUnavailableError
from bot.speech.fake import FakeSpeech
from server.errors import SetupError
from server.personas import check_voices, read_personas, shortcomings

SHOP = """
name = "Ada"
greeting = "{business}, {name} speaking."
instructions = "Be brief."
collection = "workshop"

[voice]
embedded = "en-gb"

[hours]
zone = "Europe/Berlin"
mon-fri = "9:00-18:00"
closed = [2026-12-25, "2026-12-26"]

[outside_hours]
message = "We are closed."
then = "answer"
"""


def settings(**more: Any) -> BotSettings:
    return BotSettings(retrieval=Retrieval(socket=Path("/k")), speech_socket=Path("/s"), **more)


def refusal(folder: Path, **more: Any) -> str:
    with pytest.raises(SetupError) as error:
        read_personas(folder, settings(**more))
    return str(error.value)


def test_each_file_is_a_persona_beside_the_one_of_the_settings(tmp_path: Path):
    (tmp_path / "shop.toml").write_text(SHOP)
    (tmp_path / "README").write_text("not one")
    found = read_personas(tmp_path, settings())
    assert list(found) == ["default", "shop"]
    assert found["default"] == settings().persona
    shop = found["shop"]
    assert (shop.name, shop.business, shop.collection, shop.voices) == (
        "Ada", "Larkspur Cycles", "workshop", {"embedded": "en-gb"},
    )  # fmt: skip
    assert shop.hours is not None
    assert len(shop.hours.closed) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('nane = "Ada"', "wrong.toml: nane: there is no such key"),
        ("name = Ada", "wrong.toml: it is no TOML: Invalid value (at line 1, column 8)"),
        ('language = "it"', "wrong.toml: language: Input should be 'en', 'de', 'fr' or 'es'"),
        ("name = 1", "wrong.toml: name: Input should be a valid string"),
        ('greeting = "Hello {you}"', "wrong.toml: greeting: only {name} and {business} may stand in braces"),
        ('[voice]\ncartesiaa = "x"', "wrong.toml: voice.cartesiaa: nobody of that name speaks; known are embedded"),
        ('collection = ""', "wrong.toml: collection: "),
        (SHOP.replace("Berlin", "Berlim"), "wrong.toml: hours.zone: there is no time zone 'Europe/Berlim'"),
        (SHOP.replace("mon-fri", "mon-fry"), "wrong.toml: hours: 'mon-fry' is no day"),
        (SHOP.replace("18:00", "18"), 'wrong.toml: hours: mon-fri: write "9:00-18:00"'),
        (SHOP.replace('"answer"', '"sing"'), "wrong.toml: outside_hours.then: Input should be 'answer' or 'end'"),
        (SHOP.partition("[outside")[0], "wrong.toml: hours need an outside_hours"),
    ],
    ids=["key", "toml", "language", "type", "braces", "voice", "collection", "zone", "day", "time", "then", "message"],
)
def test_what_is_wrong_is_told_by_file_and_key(tmp_path: Path, text: str, told: str):
    (tmp_path / "wrong.toml").write_text(text)
    assert told in refusal(tmp_path)


def test_all_that_is_wrong_in_all_files_is_told_at_once(tmp_path: Path):
    (tmp_path / "one.toml").write_text("nane = 1\nbussiness = 2")
    (tmp_path / "two.toml").write_bytes(b"\xff")
    said = refusal(tmp_path)
    assert [part in said for part in ("one.toml: nane", "one.toml: bussiness", "two.toml: it is not UTF-8")] == [
        True
    ] * 3


@pytest.mark.parametrize(("name", "told"), [("default", "JARVIS_NAME"), ("The Shop", "lower-case letters")])
def test_a_file_is_named_by_an_id_of_its_own(tmp_path: Path, name: str, told: str):
    (tmp_path / f"{name}.toml").write_text('name = "Ada"')
    assert told in refusal(tmp_path)


def test_a_voice_that_its_provider_can_not_have_is_refused(tmp_path: Path):
    (tmp_path / "shop.toml").write_text('[voice]\ngoogle = "Aoede"')
    google = GoogleTTS(credentials=Path("/key.json"))
    assert "shop.toml: voice: " in refusal(tmp_path, tts=(google, EmbeddedTTS()))


def test_another_language_greets_in_its_own_words_unless_the_file_has_some(tmp_path: Path):
    (tmp_path / "laden.toml").write_text('language = "de"')
    (tmp_path / "tienda.toml").write_text('language = "es"\ngreeting = "Hola."')
    found = read_personas(tmp_path, settings())
    assert [found[name].greeting[:10] for name in ("default", "laden", "tienda")] == [
        "Hello, thi",
        "Guten Tag,",
        "Hola.",
    ]


def test_what_understands_english_alone_is_told_for_another_language():
    german, english = Persona(language="de"), Persona()
    assert shortcomings(english, settings()) == []
    assert shortcomings(german, settings()) == [
        "speaks German, but pocketsphinx, on this host (embedded), which hears, knows English alone",
        "speaks German, but quotes from the documents, on this host (extractive), which answers, knows English alone",
    ]
    deepgram = settings(stt=(DeepgramSTT(api_key=SecretStr("k")), EmbeddedSTT()))
    assert "which hears where no other can, knows" in shortcomings(german, deepgram)[0]


@pytest.mark.parametrize(
    ("answer", "is_wrong"),
    [
        (SpeechAudio(b"\0\0"), False),
        (SpeechRequestError("no such voice"), True),
        (SpeechUnavailableError("busy"), False),
    ],
    ids=["speaks", "no such voice", "away"],
)
async def test_a_voice_that_this_host_does_not_have_is_told_at_start(answer: SpeechAudio | SpeechError, is_wrong: bool):
    personas = {"default": Persona(), "shop": Persona(voices={"embedded": "en-gbx", "cartesia": "x"})}
    speech = FakeSpeech(spoken=[[answer]])
    try:
        await check_voices(personas, speech)
        told = ""
    except SetupError as error:
        told = str(error)
    assert ("shop.toml: voice.embedded: espeak-ng has no voice 'en-gbx'" in told) is is_wrong
    await speech.aclose()


def test_a_folder_that_is_not_there_or_empty_is_told(tmp_path: Path):
    assert "can't be read" in refusal(tmp_path / "gone")
    assert "no file whose name ends with .toml" in refusal(tmp_path)
