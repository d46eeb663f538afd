"""What an operator sets of Google, and what it costs the parent that bots are forked from."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from bot.providers.google import GoogleLLM, GoogleSTT, GoogleTTS
from bot.providers.llm import LLMProvider
from bot.providers.stt import STTProvider
from bot.providers.tts import TTSProvider
from tests.vendors.google_cloud import ROOTS, account_file
from tests.vendors.google_tts import GoogleTTS as Double

FORKED = """
import asyncio, importlib, os, sys, threading
from pathlib import Path
from bot.providers.google import GoogleLLM, GoogleSTT, GoogleTTS

for provider in (GoogleSTT, GoogleLLM, GoogleTTS):
    for name in provider.preload:
        importlib.import_module(name)
assert threading.active_count() == 1, threading.enumerate()
threads = [Path(f"/proc/self/task/{thread}/comm").read_text() for thread in os.listdir("/proc/self/task")]
assert len(threads) == 1, threads

async def speak():
    from google.cloud.texttospeech_v1.types import cloud_tts
    from google.cloud.texttospeech_v1 import StreamingSynthesizeConfig
    tts = GoogleTTS(credentials=Path(sys.argv[1]), endpoint=sys.argv[2]).build(speech_socket=Path("/nowhere"))
    voice = cloud_tts.VoiceSelectionParams(name=tts._settings.voice, language_code=tts._settings.language)
    audio = cloud_tts.StreamingAudioConfig(audio_encoding=cloud_tts.AudioEncoding.PCM, sample_rate_hertz=24_000)
    async def requests():
        yield cloud_tts.StreamingSynthesizeRequest(
            streaming_config=StreamingSynthesizeConfig(voice=voice, streaming_audio_config=audio)
        )
        yield cloud_tts.StreamingSynthesizeRequest(input=cloud_tts.StreamingSynthesisInput(text="Hello."))
    answers = await tts._client.streaming_synthesize(requests())
    assert sum([len(answer.audio_content) async for answer in answers])

bot = os.fork()
if not bot:
    asyncio.run(speak())
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(bot, 0)[1]))
"""


async def test_preloading_starts_no_thread_and_a_forked_bot_speaks(tmp_path: Path):
    google = Double()
    async with google.serving() as endpoint:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", FORKED, str(account_file(tmp_path)), endpoint,
            env={"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(ROOTS), "PYTHONPATH": ".", "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        assert await child.wait() == 0
    assert [spoken.text for spoken in google.asked] == ["Hello."]


@pytest.mark.parametrize(
    ("slot", "provider"),
    [
        (STTProvider, GoogleSTT(credentials=Path("/account.json"))),
        (LLMProvider, GoogleLLM(api_key=SecretStr("a-key"))),
        (TTSProvider, GoogleTTS(credentials=Path("/account.json"))),
    ],
    ids=["stt", "llm", "tts"],
)
def test_google_is_one_of_those_that_can_be_chosen(slot: Any, provider: GoogleSTT | GoogleLLM | GoogleTTS):
    assert TypeAdapter(slot).validate_python(provider.model_dump()) == provider


def test_a_voice_without_a_language_is_refused():
    with pytest.raises(ValidationError):
        GoogleTTS(credentials=Path("/account.json"), voice="Aoede")


@pytest.mark.parametrize(("fast", "models"), [(None, {}), ("small", {"fast": "small", "smart": "large"})])
def test_quick_turns_have_a_model_of_their_own_where_one_is_set(fast: str | None, models: dict[str, str]):
    chosen = GoogleLLM(api_key=SecretStr("k"), model="large", fast_model=fast).models()
    assert {kind: settings.model for kind, settings in chosen.items()} == models
