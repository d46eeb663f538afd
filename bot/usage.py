"""What a call's providers were given to do, and what that costs."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMTextFrame,
    MetricsFrame,
)
from pipecat.metrics.metrics import LLMTokenUsage, LLMUsageMetricsData, STTUsageMetricsData, TTSUsageMetricsData
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameProcessor

from bot.providers.prices import Price, model_of, price_of
from bot.providers.provider import Provider
from bot.providers.stages import Stage, name_of
from bot.reports import Report

# Of English, where a vendor does not tell what it read and wrote.
CHARACTERS_PER_TOKEN = 4
# Money is told to a billionth of a dollar: one token of the cheapest model costs ten of them.
NANO_USD = Decimal(1).scaleb(-9)

Units = dict[str, Decimal]


def units_of(tokens: LLMTokenUsage) -> dict[str, int]:
    """Tokens as they are billed: those of the cache are not among `input_tokens`, whichever way the vendor counts."""
    read, written = tokens.cache_read_input_tokens or 0, tokens.cache_creation_input_tokens or 0
    # The total is gross with every vendor.
    asked = max(tokens.total_tokens - tokens.completion_tokens, tokens.prompt_tokens)
    return {
        "input_tokens": max(0, asked - read - written),
        "cached_tokens": read,
        "cache_write_tokens": written,
        "output_tokens": tokens.completion_tokens,
    }


def estimated_units(context: LLMContext, *, instruction: str, said: int) -> dict[str, int]:
    """The tokens of an answer that broke off before the vendor told them; `said` are characters."""
    asked = len(instruction) + sum(len(str(message)) for message in context.get_messages())
    return {"input_tokens": -(-asked // CHARACTERS_PER_TOKEN), "output_tokens": -(-said // CHARACTERS_PER_TOKEN)}


@dataclass(slots=True)
class _Spent:
    """What one model of a provider did."""

    units: Units = field(default_factory=lambda: defaultdict(Decimal))
    usd: Decimal = Decimal(0)
    priced: bool = True


@dataclass(slots=True)
class _Attempt:
    """An answer whose tokens were not told yet."""

    context: LLMContext
    model: str | None
    settle: Callable[[], None]
    said: int = 0
    failed: bool = False
    over: bool = False

    @property
    def cost_something(self) -> bool:
        """Whether a vendor bills it: one that was refused, or never came through, is not billed."""
        return self.said > 0 or not self.failed


class Meter:
    """Adds up what the services report of themselves, also of answers that nobody heard: those cost money, too.

    `tell()` reports `usage` where something is new since the last time: `added`, a list of `{stage, provider, model,
    units, usd, priced}`, and `usd` and `priced` of all since the bot began. `usd` is text, a decimal fraction; it is
    what is known, and `priced` false where something has no price.
    """

    def __init__(self, prices: Iterable[Price], *, report: Report, today: Callable[[], date]) -> None:
        self._prices = tuple(prices)
        self._report = report
        self._today = today
        self._new: dict[tuple[Stage, str, str], _Spent] = defaultdict(_Spent)
        self._attempts: dict[FrameProcessor, _Attempt] = {}
        self.usd = Decimal(0)
        """What is known to have been spent."""
        self.priced = True
        """Whether that is all."""

    def listen(self, stage: Stage, provider: Provider, service: FrameProcessor) -> None:
        """Counts what this service does from now on."""

        def add(model: str | None, units: Mapping[str, Decimal | int]) -> None:
            self._add(stage, provider, model or model_of(provider), units)

        def settle() -> None:
            attempt = self._attempts.pop(service, None)
            if attempt is not None and attempt.cost_something and not self._is_free(stage, provider, attempt.model):
                add(
                    attempt.model,
                    estimated_units(attempt.context, instruction=_instruction(service), said=attempt.said),
                )

        async def on_before_push_frame(_service: object, frame: Frame) -> None:
            if isinstance(frame, MetricsFrame):
                for data in frame.data:
                    match data:
                        case LLMUsageMetricsData() if data.value.total_tokens or data.value.completion_tokens:
                            self._attempts.pop(service, None)
                            add(data.model, units_of(data.value))
                        case STTUsageMetricsData():
                            add(data.model, {"audio_secs": Decimal(repr(round(data.value.audio_seconds, 3)))})
                        case TTSUsageMetricsData():
                            add(data.model, {"characters": data.value})
                        case _:
                            pass
                return
            attempt = self._attempts.get(service)
            if attempt is None:
                return
            match frame:
                case LLMTextFrame():
                    attempt.said += len(frame.text)
                case ErrorFrame():
                    attempt.failed = True
                case LLMFullResponseEndFrame():
                    attempt.over = True
                case _:
                    pass

        async def on_before_process_frame(_service: object, frame: Frame) -> None:
            if isinstance(frame, LLMContextFrame):
                settle()
                self._attempts[service] = _Attempt(frame.context, _model(service), settle)

        service.add_event_handler("on_before_push_frame", on_before_push_frame)
        if stage == "llm":
            service.add_event_handler("on_before_process_frame", on_before_process_frame)

    def tell(self) -> None:
        """Reports what is new."""
        for attempt in [*self._attempts.values()]:
            # One that is not over will still tell by itself.
            if attempt.over:
                attempt.settle()
        if not self._new:
            return
        added = [
            {
                "stage": stage,
                "provider": provider,
                "model": model,
                "units": {name: _plain(amount) for name, amount in spent.units.items() if amount},
                "usd": _told(spent.usd),
                "priced": spent.priced,
            }
            for (stage, provider, model), spent in self._new.items()
        ]
        self._new.clear()
        self._report({"type": "usage", "added": added, "usd": _told(self.usd), "priced": self.priced})

    def _is_free(self, stage: Stage, provider: Provider, model: str | None) -> bool:
        price = self._price(stage, provider, model)
        return price is not None and price.is_free

    def _price(self, stage: Stage, provider: Provider, model: str | None) -> Price | None:
        return price_of(provider, stage, self._prices, model=model, day=self._today())

    def _add(self, stage: Stage, provider: Provider, model: str | None, units: Mapping[str, Decimal | int]) -> None:
        spent = self._new[stage, name_of(type(provider)), model or ""]
        for name, amount in units.items():
            spent.units[name] += amount
        price = self._price(stage, provider, model)
        if price is None:
            spent.priced = self.priced = False
            return
        usd = price.usd(units).quantize(NANO_USD)
        spent.usd += usd
        self.usd += usd


def _model(service: Any) -> str | None:
    """The model that the service asks for now."""
    model = service._settings.model
    return model if isinstance(model, str) else None


def _instruction(service: Any) -> str:
    return getattr(service._settings, "system_instruction", None) or ""


def _told(usd: Decimal) -> str:
    return f"{usd:f}"


def _plain(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)
