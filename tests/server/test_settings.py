"""The operator's settings: what is read, what is said of wrong ones, what is documented."""

import os
import re
import stat
from decimal import Decimal
from pathlib import Path

import pytest

from bot.providers.prices import listed
from bot.providers.provider import REVEAL
from bot.providers.stages import vendors_variables
from bot.settings import BotSettings
from server.errors import SetupError
from server.settings import Settings, read_settings

ENV_EXAMPLE = Path(__file__).parents[2] / ".env.example"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("JARVIS_", "OTEL_")) or name in variables():
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def variables() -> set[str]:
    named = {name: field.validation_alias for name, field in Settings.model_fields.items()}
    ours = {f"JARVIS_{n.upper()}" if alias is None else str(alias.choices[0]) for n, alias in named.items()}  # type: ignore[union-attr]
    return ours | vendors_variables()


def test_every_setting_stands_in_the_example_file_and_nothing_else_does():
    documented = re.findall(r"^#([A-Z0-9_]+)=", ENV_EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [f"#{name}=" for name in sorted(variables() - set(documented))] == [], "these lines are missing"
    assert sorted(set(documented) - variables()) == [], "these lines set nothing"
    assert sorted({name for name in documented if documented.count(name) > 1}) == [], "these lines stand there twice"


def test_every_setting_has_a_description():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_a_wrong_setting_is_named_with_what_is_wrong(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JARVIS_PORT", "ninety")
    with pytest.raises(SetupError, match="JARVIS_PORT: Input should be a valid integer"):
        read_settings()


def test_an_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JARVIS_PORT", "9000")
    assert read_settings(port=9001, host=None).port == 9001


@pytest.mark.parametrize(("level", "read"), [("debug", "DEBUG"), ("ERROR", "ERROR")])
def test_a_log_level_is_that_of_every_process(monkeypatch: pytest.MonkeyPatch, level: str, read: str):
    monkeypatch.setenv("JARVIS_LOG_LEVEL", level)
    monkeypatch.setenv("JARVIS_LOG_FORMAT", "json")
    assert read_settings().log("speech").model_dump() == {"level": read, "format": "json", "process": "speech"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("JARVIS_LOG_LEVEL", "LOUD"), ("JARVIS_LOG_FORMAT", "xml"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "x")],
)
def test_what_no_log_and_no_trace_can_be_set_to_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    monkeypatch.setenv(name, value)
    with pytest.raises(SetupError, match=name):
        read_settings()


def test_calls_are_traced_where_there_is_a_collector(monkeypatch: pytest.MonkeyPatch):
    assert read_settings().bot_settings().tracing is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    settings = read_settings().bot_settings()
    assert settings.tracing is not None
    assert settings.tracing.endpoint.startswith("http://127.0.0.1:4318")
    assert "bot.tracing" in settings.preload


def test_without_a_key_answers_are_quoted(tmp_path: Path):
    assert [each.provider for each in read_settings(data_dir=tmp_path).bot_settings().llm] == ["extractive"]


def test_a_key_brings_a_language_model_before_the_embedded_answers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert [each.provider for each in read_settings().bot_settings().llm] == ["openai", "extractive"]


def test_a_vendor_is_read_from_the_file_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-file\nOPENAI_MODEL=small\n", encoding="utf-8")
    monkeypatch.setenv("OPENAI_MODEL", "large")
    written = read_settings().bot_settings().llm[0].model_dump(mode="json", context={"reveal": True})
    assert (written["api_key"], written["model"]) == ("sk-file", "large")


def test_an_empty_key_is_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "")
    assert [each.provider for each in read_settings().bot_settings().llm] == ["extractive"]


def test_who_is_wanted_and_in_which_order_is_a_setting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("JARVIS_LLM", "extractive")
    assert [each.provider for each in read_settings().bot_settings().llm] == ["extractive"]


@pytest.mark.parametrize("stage", ["stt", "llm", "tts"])
def test_a_provider_that_does_not_exist_is_named_with_those_that_do(monkeypatch: pytest.MonkeyPatch, stage: str):
    monkeypatch.setenv(f"JARVIS_{stage.upper()}", "nobody")
    with pytest.raises(SetupError, match=rf"JARVIS_{stage.upper()}: there is no nobody. Known are .+"):
        read_settings().bot_settings()


def test_settings_that_are_shown_hold_no_key(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    settings = read_settings()
    assert "sk-secret" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_a_key_is_revealed_only_where_the_context_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    settings = read_settings().bot_settings()
    assert "sk-secret" not in settings.model_dump_json() + repr(settings)
    assert "sk-secret" in settings.model_dump_json(context={"reveal": True})


def test_without_an_embedding_model_this_host_embeds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert read_settings().embedder_settings().provider == "minilm"


def test_an_embedding_model_is_asked_with_the_key_at_the_url(monkeypatch: pytest.MonkeyPatch):
    for name, value in {
        "OPENAI_API_KEY": "sk-secret",
        "OPENAI_BASE_URL": "http://127.0.0.1:11434/v1",
        "OPENAI_EMBEDDING_MODEL": "small",
    }.items():
        monkeypatch.setenv(name, value)
    written = read_settings().embedder_settings().model_dump(mode="json", context={"reveal": True})
    assert (written["provider"], written["model"]) == ("openai", "small")
    assert (written["api_key"], written["base_url"]) == ("sk-secret", "http://127.0.0.1:11434/v1")


def test_an_embedding_model_without_a_key_says_what_to_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_EMBEDDING_MODEL", "small")
    with pytest.raises(SetupError, match="OPENAI_EMBEDDING_MODEL needs OPENAI_API_KEY"):
        read_settings().embedder_settings()


@pytest.mark.parametrize(
    ("host", "addresses"), [("127.0.0.1", ("127.0.0.1",)), ("localhost", ("127.0.0.1",)), ("10.1.2.3", ())]
)
def test_media_stays_on_loopback_where_the_server_does(host: str, addresses: tuple[str, ...]):
    assert read_settings(host=host).offered_addresses == addresses


def test_a_budget_comes_to_the_bots_with_the_table_of_prices(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JARVIS_BUDGET_CALL_USD", "0.1")
    budget = read_settings().bot_settings().budget
    assert (budget.call_usd, budget.prices) == (Decimal("0.1"), listed())


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "prices.toml can't be read"), ("[[price]]\nstage = 'llm'\nprovider = 'nobody'", "is wrong: row 1: ")],
)
def test_prices_that_cannot_be_used_are_told_with_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, said: str
):
    path = tmp_path / "prices.toml"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv("JARVIS_PRICES", str(path))
    with pytest.raises(SetupError, match=said):
        read_settings().bot_settings()


def test_pronunciations_come_to_the_bots(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    path = tmp_path / "words.txt"
    path.write_text("# a town\nLeominster = Lemster\n")
    monkeypatch.setenv("JARVIS_PRONUNCIATIONS", str(path))
    assert read_settings().bot_settings().pronunciations == (("Leominster", "Lemster"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "words.txt can't be read"),
        (b"a = b\nLeominster Lemster", "words.txt is wrong: line 2: "),
        (b"\xff = b", "words.txt is not UTF-8"),
    ],
)
def test_pronunciations_that_cannot_be_used_are_told_by_file_and_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: bytes | None, said: str
):
    path = tmp_path / "words.txt"
    if text is not None:
        path.write_bytes(text)
    monkeypatch.setenv("JARVIS_PRONUNCIATIONS", str(path))
    with pytest.raises(SetupError, match=said):
        read_settings().bot_settings()


TOOL = """
tools:
  - name: order_status
    description: Looks up an order.
    url: https://shop.example/orders
    headers: {Authorization: "Bearer ${SHOP_TOKEN}"}
"""


def test_tools_come_to_the_bots_with_their_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    path = tmp_path / "tools.yaml"
    path.write_text(TOOL)
    monkeypatch.setenv("JARVIS_TOOLS", str(path))
    monkeypatch.setenv("SHOP_TOKEN", "s3cret")
    settings = read_settings().bot_settings()
    (tool,) = BotSettings.model_validate_json(settings.model_dump_json(context=REVEAL)).tools
    assert tool.headers["Authorization"].get_secret_value() == "Bearer s3cret"
    assert "s3cret" not in settings.model_dump_json()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "tools.yaml can't be read"),
        (TOOL.encode(), "tools.yaml is wrong: line 6: the variable SHOP_TOKEN is not set"),
        (b"\xff: b", "tools.yaml is not UTF-8"),
    ],
)
def test_tools_that_cannot_be_used_are_told_by_file_and_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: bytes | None, said: str
):
    path = tmp_path / "tools.yaml"
    if text is not None:
        path.write_bytes(text)
    monkeypatch.setenv("JARVIS_TOOLS", str(path))
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    with pytest.raises(SetupError, match=said):
        read_settings().bot_settings()


def test_sockets_fit_into_the_kernels_limit_however_long_the_data_directory(tmp_path: Path):
    settings = read_settings(data_dir=tmp_path / ("long" * 30))
    assert len(str(settings.run_dir / "bots" / "0123456789ab.sock")) < 107


def test_a_data_directory_that_cannot_be_made_says_what_to_do(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="Set JARVIS_DATA_DIR to a folder you own"):
        read_settings(data_dir=tmp_path / "file" / "data").prepare_dirs()


def test_what_is_written_has_its_directories(tmp_path: Path):
    settings = read_settings(data_dir=tmp_path / "data")
    settings.prepare_dirs()
    assert [path.is_dir() for path in (settings.run_dir, settings.models_dir, settings.lexical_dir)] == [True] * 3
    assert stat.S_IMODE(settings.run_dir.stat().st_mode) == 0o700


def test_a_data_directory_of_somebody_else_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(SetupError, match="belongs to another user"):
        read_settings(data_dir=tmp_path).prepare_dirs()


def test_the_signing_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path):
    settings = read_settings(data_dir=tmp_path)
    key = settings.signing_key()
    assert settings.signing_key() == key
    assert stat.S_IMODE((tmp_path / "signing.key").stat().st_mode) == 0o600


def test_the_operators_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path):
    settings = read_settings(data_dir=tmp_path)
    key = settings.operator_key()
    assert settings.operator_key() == key
    assert len(key) >= 32
    assert stat.S_IMODE((tmp_path / "operator.key").stat().st_mode) == 0o600


def test_a_reverse_proxy_on_this_host_is_trusted_and_no_other():
    assert [str(each) for each in read_settings().trusted_proxies] == ["127.0.0.1/32", "::1/128"]


def test_a_network_of_proxies_may_be_trusted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JARVIS_TRUSTED_PROXIES", '["10.0.0.7", "fd00::/8"]')
    assert [str(each) for each in read_settings().trusted_proxies] == ["10.0.0.7/32", "fd00::/8"]


@pytest.mark.parametrize("proxies", ["proxy.example.com", '["proxy.example.com"]', '["*"]'])
def test_a_proxy_that_is_no_address_is_named(monkeypatch: pytest.MonkeyPatch, proxies: str):
    monkeypatch.setenv("JARVIS_TRUSTED_PROXIES", proxies)
    with pytest.raises(SetupError, match=r"(?i)trusted_proxies"):
        read_settings()


def test_calls_without_a_key_are_for_this_host_unless_the_operator_says_otherwise():
    assert read_settings(host="0.0.0.0").public_calls == "this_host"
