"""One running Jarvis for all calls, and a browser to call it with."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from pipecat.evals.script import EvalExpectation, EvalScriptScenario, EvalScriptTurn
from playwright.sync_api import Page, sync_playwright

from evals.kept import copy, fill
from evals.program import RECORDINGS, ROOT, Jarvis
from evals.scenarios.harness import hold

ARTIFACTS = ROOT / "artifacts"
GREETING_SECS = 12


@contextmanager
def directory(copied: Path | None = None) -> Iterator[Path]:
    """A place for what a server keeps, which Postgres' user may enter; a copy of what another kept, if named."""
    home = Path(tempfile.mkdtemp(prefix="jarvis-e2e-"))
    home.chmod(0o755)
    place = home / "data"
    if copied is not None:
        copy(copied, place)
    yield place
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def prepared(request: pytest.FixtureRequest) -> Path:
    """The data directory of a server that ran; the worker that comes first makes it, if no run before did."""
    return fill(Path(request.config.option.prepared))


@pytest.fixture
def data_dir(prepared: Path) -> Iterator[Path]:
    """A data directory for one test alone."""
    with directory(prepared) as place:
        yield place


@pytest.fixture
def own_jarvis(data_dir: Path, request: pytest.FixtureRequest) -> Iterator[Jarvis]:
    """A server for one test alone, which may kill it; with the settings that the test names."""
    served = Jarvis(data_dir, **getattr(request, "param", {}))
    served.start()
    yield served
    served.stop()
    shutil.copy(served.log, artifact(f"{request.node.name}.log"))


@pytest.fixture(scope="session")
def jarvis(prepared: Path, worker_id: str) -> Iterator[Jarvis]:
    """A server that was started as its user starts it, with the sample handbook indexed."""
    with directory(prepared) as place:
        served = Jarvis(place)
        served.start()
        yield served
        served.stop()
        shutil.copy(served.log, artifact(f"server-{worker_id}.log"))


def artifact(name: str) -> Path:
    """A place for what a test leaves to be looked at."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS / name


@pytest.fixture
def artifacts(request: pytest.FixtureRequest) -> Path:
    """A folder for what this test leaves to be looked at."""
    folder = artifact(request.node.name)
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def microphone(tmp_path: Path) -> Path:
    """A recorded question after a silence as long as the greeting, at the rate of Chromium's fake microphone."""
    speech, rate_hz = soundfile.read(RECORDINGS / "slt" / "q18.flac", dtype="float32")
    speech = soxr.resample(speech, rate_hz, 48000)
    quiet = np.zeros(48000 * GREETING_SECS, dtype=np.float32)
    path = tmp_path / "microphone.wav"
    soundfile.write(path, np.concatenate([quiet, speech, quiet, quiet]), 48000, subtype="PCM_16")
    return path


@pytest.fixture
def page(microphone: Path, tmp_path: Path) -> Iterator[Page]:
    chromium = shutil.which("chromium")
    assert chromium, "the browser test needs Debian's chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(tmp_path / "profile"),
            executable_path=chromium,
            viewport={"width": 1100, "height": 760},
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}%noloop",
                "--autoplay-policy=no-user-gesture-required",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-quic",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield context.pages[0]
        context.close()


def written(jarvis: Jarvis, question: str) -> str:
    """What is answered to a question in a call that is held in writing."""
    greeted = EvalScriptTurn(user=None, expect=[EvalExpectation("llm_response")])
    # The second expectation waits for what may come behind the answer.
    asked = EvalScriptTurn(
        user=question,
        expect=[EvalExpectation("llm_response"), EvalExpectation("bot_backchannel", within_ms=300, absent=True)],
    )
    scenario = EvalScriptScenario(name="written", turns=[greeted, asked])
    held = asyncio.run(hold(scenario, base_url=jarvis.url, key=jarvis.operator_key()))
    assert held.result.passed, held.result.failures
    return "".join(each.data["text"] for each in held.during(1) if each.type == "bot-llm-text")
