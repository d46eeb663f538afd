"""The doubles by stage and name, each with the variables that lead a Jarvis to it."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.vendors import anthropic_messages, deepgram, google_genai, openai_chat, shop
from tests.vendors.anthropic_messages import AnthropicMessages
from tests.vendors.cartesia import Cartesia
from tests.vendors.deepgram_flux import DeepgramFlux
from tests.vendors.deepgram_listen import DeepgramListen
from tests.vendors.deepgram_speak import DeepgramSpeak
from tests.vendors.elevenlabs import ElevenLabs
from tests.vendors.google_genai import GoogleGenAI
from tests.vendors.openai_audio import OpenAIAudio
from tests.vendors.openai_chat import OpenAIChat
from tests.vendors.script import Script
from tests.vendors.shop import Shop


@dataclass(frozen=True)
class Stand:
    """A double, and what of it is counted: the utterances, answers or texts that it was asked for."""

    double: Any
    url: str
    variables: Mapping[str, str]
    counted: Callable[[Any], Sequence[Any]] = lambda double: double.asked

    @property
    def count(self) -> int:
        """How often it was asked."""
        return len(self.counted(self.double))


def _utterances(double: Any) -> Sequence[Any]:
    return double.utterances


def _texts(double: Any) -> Sequence[Any]:
    """What is to be spoken; the rest of a websocket's messages keeps it open, or ends what is said."""
    spoken = (each.get("transcript") or each.get("text") or "" for each in double.asked)
    return [text for text in spoken if text.strip()]


def _gemini(script: Script) -> GoogleGenAI:
    def answer(body: Mapping[str, Any]) -> str:
        roles = {"model": "assistant"}
        return script.answer(
            [{"role": roles.get(each["role"], "user"), "content": each["parts"]} for each in body["contents"]]
        )

    return GoogleGenAI(answer)


def _played(script: Script) -> Callable[[openai_chat.Messages], openai_chat.Answer]:
    """Answers as the bot, or as a simulated caller, who hangs up behind its last line."""

    def answer(messages: openai_chat.Messages) -> openai_chat.Answer:
        line = script.line(messages)
        if line is None and (call := script.call(messages)) is not None:
            return openai_chat.ToolCall(*call, id=f"call_{len(messages)}")
        if line == "":
            return openai_chat.ToolCall("end_call", {"success": True, "reason": "There is nothing more to ask."})
        return script.answer(messages) if line is None else line

    return answer


DEEPGRAM = {"DEEPGRAM_API_KEY": deepgram.KEY}
OPENAI = {"OPENAI_API_KEY": openai_chat.KEY}
STANDS: Mapping[str, Callable[[Script], Stand]] = {
    "stt/deepgram": lambda _: Stand(DeepgramListen(), "DEEPGRAM_BASE_URL", DEEPGRAM, _utterances),
    "stt/deepgram_flux": lambda _: Stand(DeepgramFlux(), "DEEPGRAM_BASE_URL", DEEPGRAM, _utterances),
    "stt/openai": lambda _: Stand(OpenAIAudio(), "OPENAI_STT_BASE_URL", OPENAI),
    "llm/openai": lambda script: Stand(OpenAIChat(answer=_played(script)), "OPENAI_BASE_URL", OPENAI),
    "llm/anthropic": lambda script: Stand(
        AnthropicMessages(answer=script.answer), "ANTHROPIC_BASE_URL", {"ANTHROPIC_API_KEY": anthropic_messages.KEY}
    ),
    "llm/google": lambda script: Stand(_gemini(script), "GOOGLE_BASE_URL", {"GOOGLE_API_KEY": google_genai.KEY}),
    "tts/cartesia": lambda _: Stand(Cartesia(), "CARTESIA_BASE_URL", {"CARTESIA_API_KEY": Cartesia.KEY}, _texts),
    "tts/elevenlabs": lambda _: Stand(
        ElevenLabs(), "ELEVENLABS_BASE_URL", {"ELEVENLABS_API_KEY": ElevenLabs.KEY}, _texts
    ),
    "tts/openai": lambda _: Stand(OpenAIAudio(), "OPENAI_TTS_BASE_URL", OPENAI),
    "shop": lambda _: Stand(Shop(), "SHOP_URL", {"SHOP_TOKEN": shop.TOKEN}),
    "tts/deepgram": lambda _: Stand(DeepgramSpeak(), "DEEPGRAM_BASE_URL", DEEPGRAM, _texts),
}
# Seconds to a first word and how many times as fast as it is spoken or written it comes: what vendors take.
MANNERS: Mapping[str, tuple[float, float | None]] = {"stt": (0.05, None), "llm": (0.25, 3.0), "tts": (0.12, 4.0)}


@asynccontextmanager
async def served(names: Sequence[str], script: Script) -> AsyncIterator[tuple[dict[str, Stand], dict[str, str]]]:
    """The doubles of these names, and the variables of a Jarvis that uses them, in their order in each stage.

    KeyError for a name that is none, ValueError where two of them are set by the same variable.
    """
    stands = {name: STANDS[name](script) for name in names}
    variables: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        for name, stand in stands.items():
            if stand.url in variables:
                raise ValueError(f"{name} is set by {stand.url}, as another one is")
            stand.double.faults.delay_secs, stand.double.faults.pace = MANNERS.get(name[:3], (0.0, None))
            variables |= {**stand.variables, stand.url: await stack.enter_async_context(stand.double.serving())}
        for stage in ("stt", "llm", "tts"):
            chosen = [name.partition("/")[2] for name in names if name.startswith(stage)]
            variables |= {f"JARVIS_{stage.upper()}": ",".join(chosen)} if chosen else {}
        yield stands, variables
