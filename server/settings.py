"""What the operator sets: the one place that reads the environment."""

import hashlib
import ipaddress
import os
import secrets
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, AnyHttpUrl, Field, IPvAnyNetwork, PrivateAttr, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bot.budget import Budget
from bot.persona import DEFAULT, Persona, Spoken
from bot.providers.prices import Price, listed, with_own
from bot.providers.stages import Stage, vendors_variables
from bot.reading.lexicon import Lexicon, parsed
from bot.settings import BotSettings, Limits, Retrieval, Tracing
from bot.tools.settings import HttpTool
from knowledge.embedders.settings import EmbedderSettings, MiniLm, OpenAI
from knowledge.logs import Level, LogFormat, LogSettings
from server.errors import SetupError
from server.extras import installed
from server.personas import read_personas
from server.vendors import SetUp

UNIX_PATH_LIMIT = 90


def default_data_dir() -> Path:
    """`/var/lib/jarvis` for root, else `jarvis` below the user's data home."""
    if os.geteuid() == 0:
        return Path("/var/lib/jarvis")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "jarvis"


def named(name: str) -> AliasChoices:
    """A variable known by this name everywhere, without our prefix."""
    return AliasChoices(name, name.lower())


class Settings(BaseSettings):
    """Read from the environment and from `.env`; each field is `JARVIS_` and its name, unless it says otherwise."""

    model_config = SettingsConfigDict(env_prefix="JARVIS_", env_file=".env", extra="ignore", env_ignore_empty=True)

    host: str = Field(default="127.0.0.1", description="address the server listens on")
    port: int = Field(default=7860, ge=0, le=65535, description="port the server listens on")
    public_url: str | None = Field(
        default=None, description="how callers reach the server, where that is not host and port"
    )
    data_dir: Path = Field(default_factory=default_data_dir, description="where everything that lasts is kept")
    log_level: Level = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: LogFormat = Field(
        default="text", description="text, or json: one object a line, for a collector of logs"
    )

    name: str = Field(default="Jarvis", description="the name the assistant goes by")
    business: str = Field(default="Larkspur Cycles", description="whom it speaks for")
    greeting: Spoken = Field(default="Hello, this is {name} at {business}.", description="its first words")
    personas: Path | None = Field(default=None, description="a folder of others who may answer, a file each")
    pronunciations: Path | None = Field(default=None, description="a file of words, each with how it is said")

    tools: Path | None = Field(
        default=None, description="a YAML file of services that a language model may ask in a call"
    )

    max_sessions: int = Field(
        default=4, ge=1, le=1000, description="calls at once; the next caller is told that all lines are busy"
    )
    warm_bots: int = Field(default=1, ge=0, le=50, description="bot processes that wait for a call")
    bot_memory_mb: int = Field(default=150, ge=0, description="free memory that one more bot needs")
    bot_memory_limit_mb: int = Field(
        default=512, ge=100, description="memory that a bot may take; one that wants more ends, and its call goes on"
    )
    max_cpu_percent: float = Field(
        default=85, gt=0, le=101, description="load of all cores up to which another call is taken; 101 is any load"
    )
    queue_length: int = Field(
        default=0, ge=0, le=1000, description="callers that may wait in line while all lines are busy; 0 is no line"
    )
    drain_secs: float = Field(
        default=1800, gt=0, description="seconds that calls have to end by themselves where the server is to stop"
    )
    session_token_secs: int = Field(
        default=600, ge=10, le=86400, description="seconds in which a call link must be used"
    )
    hedge: bool = Field(
        default=False, description="ask a second language model, too, where the first is slower than it mostly is"
    )
    budget_call_usd: Decimal | None = Field(
        default=None, gt=0, description="what a call may cost, in USD, before only what is free goes on with it"
    )
    budget_day_usd: Decimal | None = Field(
        default=None, gt=0, description="what all calls of a day may cost, by UTC, likewise"
    )
    prices: Path | None = Field(default=None, description="a file of prices that count before those of Jarvis")
    filler_secs: float = Field(
        default=1.2, ge=0, description="seconds without an answer after which a caller hears a word like 'One moment'"
    )
    idle_secs: float = Field(
        default=60, gt=0, description="seconds of a caller's silence after which a call ends; they are asked after half"
    )
    max_duration_secs: float = Field(default=1800, gt=0, description="seconds after which a call ends")

    keep_calls_days: int = Field(
        default=30,
        ge=0,
        le=36500,
        description="days for which calls, what was said in them and what they asked in vain are kept; 0 keeps nothing",
    )

    public_calls: Literal["this_host", "everyone", "nobody"] = Field(
        default="this_host", description="who may start a call without an API key"
    )
    public_calls_per_address: int = Field(
        default=10, ge=1, le=100_000, description="calls without a key that one address may start in a minute"
    )
    public_calls_per_minute: int = Field(
        default=60, ge=1, le=100_000, description="calls without a key that all addresses may start in a minute"
    )
    address_requests_per_minute: int = Field(
        default=300,
        ge=1,
        le=100_000,
        description="requests with a session's token that one address may make in a minute",
    )
    key_per_minute: int = Field(
        default=300, ge=1, le=100_000, description="requests a minute of a new API key that names no other number"
    )
    key_at_once: int = Field(
        default=10, ge=1, le=1000, description="requests at once of a new API key that names no other number"
    )
    trusted_proxies: list[IPvAnyNetwork] = Field(
        default=[ipaddress.ip_network("127.0.0.1"), ipaddress.ip_network("::1")],
        description="JSON list of addresses and networks whose X-Forwarded-For is believed",
    )

    media_addresses: list[str] = Field(
        default_factory=list,
        description='JSON list of local addresses for media; ["0.0.0.0"] is all, the default unless host is loopback',
    )
    ice_servers: list[str] = Field(default_factory=list, description="JSON list of STUN and TURN URLs")

    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=named("DATABASE_URL"),
        description="Postgres with pgvector; embedded when not set",
    )
    redis_url: SecretStr | None = Field(
        default=None, validation_alias=named("REDIS_URL"), description="Redis; embedded when not set"
    )
    stt: str | None = Field(
        default=None, description="who hears, names by commas in order of preference; all whose key is set when not set"
    )
    llm: str | None = Field(default=None, description="who answers, likewise")
    tts: str | None = Field(default=None, description="who speaks, likewise")

    otel_exporter_otlp_endpoint: AnyHttpUrl | None = Field(
        default=None,
        validation_alias=named("OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="calls are traced, and their spans sent to this OpenTelemetry collector (OTLP over HTTP)",
    )

    openai_embedding_model: str | None = Field(
        default=None,
        validation_alias=named("OPENAI_EMBEDDING_MODEL"),
        description="documents and questions are embedded by this model of OpenAI's; on this host when not set",
    )

    # What vendors are set by, keys among it: by the names that they are known by.
    _vendors: dict[str, str] = PrivateAttr(default_factory=dict)
    # All that is set, for the headers of tools.
    _variables: dict[str, str] = PrivateAttr(default_factory=dict)

    def model_post_init(self, context: Any, /) -> None:
        """Read the vendors' variables from where all others come from."""
        known = vendors_variables()
        read = (DotEnvSettingsSource(type(self)), EnvSettingsSource(type(self)))
        set_ = {name.upper(): value for source in read for name, value in source.env_vars.items() if value}
        self._vendors = {name: value for name, value in set_.items() if name in known}
        self._variables = set_

    @property
    def set_up(self) -> SetUp:
        """The vendors that are set."""
        wanted: dict[Stage, str | None] = {"stt": self.stt, "llm": self.llm, "tts": self.tts}
        return SetUp(wanted=wanted, variables=self._vendors, installed=installed)

    @property
    def run_dir(self) -> Path:
        """Where the sockets are: below the data directory, or below the temporary one where that path is too long."""
        path = self.data_dir.resolve() / "run"
        if len(str(path)) <= UNIX_PATH_LIMIT - len("/bots/xxxxxxxxxxxx.sock"):
            return path
        digest = hashlib.sha256(str(path).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"jarvis-{os.geteuid()}-{digest}"

    @property
    def bots_dir(self) -> Path:
        """Where each bot's control socket is."""
        return self.run_dir / "bots"

    @property
    def models_dir(self) -> Path:
        """Where built models are kept."""
        return self.data_dir / "models"

    @property
    def lexical_dir(self) -> Path:
        """Where the indexes of words are kept; made anew from the database when they are lost."""
        return self.data_dir / "lexical"

    @property
    def knowledge_socket(self) -> Path:
        """Where the retrieval process is asked."""
        return self.run_dir / "knowledge.sock"

    @property
    def speech_socket(self) -> Path:
        """Where the speech process is asked."""
        return self.run_dir / "speech.sock"

    @property
    def desk_socket(self) -> Path:
        """Where the desk is asked."""
        return self.run_dir / "desk.sock"

    @property
    def offered_addresses(self) -> tuple[str, ...]:
        """Local addresses offered for media; all when empty."""
        if self.media_addresses == ["0.0.0.0"]:  # noqa: S104  (a wish, not a bind)
            return ()
        if self.media_addresses:
            return tuple(self.media_addresses)
        return ("127.0.0.1",) if is_loopback(self.host) else ()

    def log(self, process: str) -> LogSettings:
        """How this process of ours logs."""
        return LogSettings(level=self.log_level, format=self.log_format, process=process)

    def bot_settings(self) -> BotSettings:
        """What each bot is told; raises `SetupError` where a provider is chosen that can't be."""
        collector, set_up = self.otel_exporter_otlp_endpoint, self.set_up
        return BotSettings(
            stt=set_up.chosen("stt"),
            llm=set_up.chosen("llm"),
            tts=set_up.chosen("tts"),
            persona=Persona(name=self.name, business=self.business, greeting=self.greeting),
            pronunciations=self.lexicon(),
            tools=self.http_tools(),
            hedge=self.hedge,
            filler_secs=self.filler_secs,
            budget=Budget(prices=self.price_table(), call_usd=self.budget_call_usd),
            limits=Limits(idle_secs=self.idle_secs, max_duration_secs=self.max_duration_secs),
            retrieval=Retrieval(socket=self.knowledge_socket, keep_gaps=self.keep_calls_days > 0),
            speech_socket=self.speech_socket,
            tracing=None if collector is None else Tracing(endpoint=str(collector)),
            ice_servers=tuple(self.ice_servers),
            media_addresses=self.offered_addresses,
        )

    def known_personas(self, settings: BotSettings) -> dict[str, Persona]:
        """Everybody who may answer, by id; raises `SetupError` where a file of theirs is wrong."""
        return {DEFAULT: settings.persona} if self.personas is None else read_personas(self.personas, settings)

    def lexicon(self) -> Lexicon:
        """How words are said; raises `SetupError` where the operator's file is wrong."""
        path = self.pronunciations
        if path is None:
            return ()
        try:
            return parsed(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SetupError(f"JARVIS_PRONUNCIATIONS: {path} can't be read ({error.strerror}).") from error
        except UnicodeDecodeError:
            raise SetupError(f"JARVIS_PRONUNCIATIONS: {path} is not UTF-8.") from None
        except ValueError as error:
            raise SetupError(f"JARVIS_PRONUNCIATIONS: {path} is wrong: {error}.") from None

    def http_tools(self) -> tuple[HttpTool, ...]:
        """The operator's tools, with the keys in their headers; raises `SetupError` where the file is wrong."""
        if self.tools is None:
            return ()
        from bot.tools.file import parsed as tools_in  # most commands need no YAML

        try:
            return tools_in(self.tools.read_text(encoding="utf-8"), variables=self._variables)
        except OSError as error:
            raise SetupError(f"JARVIS_TOOLS: {self.tools} can't be read ({error.strerror}).") from error
        except UnicodeDecodeError:
            raise SetupError(f"JARVIS_TOOLS: {self.tools} is not UTF-8.") from None
        except ValueError as error:
            raise SetupError(f"JARVIS_TOOLS: {self.tools} is wrong: {error}.") from None

    def price_table(self) -> tuple[Price, ...]:
        """What providers cost; raises `SetupError` where the operator's file of prices is wrong."""
        if self.prices is None:
            return listed()
        try:
            return with_own(self.prices)
        except OSError as error:
            raise SetupError(f"JARVIS_PRICES: {self.prices} can't be read ({error.strerror}).") from error
        except ValueError as error:
            raise SetupError(f"JARVIS_PRICES: {self.prices} is wrong: {error}.") from None

    def embedder_settings(self) -> EmbedderSettings:
        """Who embeds; raises `SetupError` where a key is missing."""
        if self.openai_embedding_model is None:
            return MiniLm()
        key = self._vendors.get("OPENAI_API_KEY")
        if key is None:
            raise SetupError(
                "OPENAI_EMBEDDING_MODEL needs OPENAI_API_KEY; set it, or embed on this host without either."
            )
        url = self._vendors.get("OPENAI_BASE_URL")
        return OpenAI(api_key=SecretStr(key), base_url=url, model=self.openai_embedding_model)

    def prepare_dirs(self) -> None:
        """Makes the directories that Jarvis writes to; raises `SetupError` where it may not."""
        private = (self.run_dir, self.bots_dir)
        for path in (self.data_dir, *private, self.models_dir, self.lexical_dir):
            try:
                path.mkdir(mode=0o700 if path in private else 0o755, parents=True, exist_ok=True)
            except OSError as error:
                raise SetupError(
                    f"{path} can't be made ({error.strerror}). Set JARVIS_DATA_DIR to a folder you own."
                ) from error
            if path.stat().st_uid != os.geteuid():
                raise SetupError(
                    f"{path} belongs to another user. Run Jarvis as that user, or set JARVIS_DATA_DIR elsewhere."
                )
            if not os.access(path, os.W_OK | os.X_OK):
                raise SetupError(f"{path} can't be written to. Set JARVIS_DATA_DIR to a folder you own.")

    def signing_key(self) -> bytes:
        """The key that session tokens are signed with: made once, kept in the data directory, readable by its owner."""
        return _kept(self.data_dir / "signing.key", secrets.token_bytes(32))

    def operator_key(self) -> str:
        """The key that operators show to the HTTP interface: made and kept in the same way."""
        return _kept(self.data_dir / "operator.key", secrets.token_urlsafe(32).encode()).decode().strip()


def read_settings(**overrides: Any) -> Settings:
    """The settings, `overrides` (those not None) first; raises `SetupError` that names each wrong variable."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        lines = [f"  {_variable(e['loc'])}: {e['msg']}" for e in error.errors(include_input=False)]
        raise SetupError("These settings are wrong:\n" + "\n".join(lines)) from None
    except SettingsError as error:
        raise SetupError(f'These settings are wrong:\n  {error}: write a list as JSON, ["…"]') from None


def _kept(path: Path, made: bytes) -> bytes:
    """What the file holds; `made` where there was none."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        file.write(made)
    return made


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "?"
    return name if name.isupper() else f"JARVIS_{name.upper()}"
