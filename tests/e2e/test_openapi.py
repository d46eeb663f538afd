"""Requests of every kind that the interface's description allows, and many that it does not, by Schemathesis."""

import subprocess
import sys
from pathlib import Path

import pytest

from evals.program import Jarvis
from tests.e2e.conftest import artifact

pytestmark = pytest.mark.e2e

RUN_SECS = 300
EXAMPLES = "6"
# 503 is said where all lines are busy, for one; every other 5xx is an error of ours.
CONFIGURATION = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 503]
"""
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.parametrize("own_jarvis", [{"JARVIS_MAX_SESSIONS": "2", "JARVIS_SESSION_TOKEN_SECS": "10"}], indirect=True)
def test_no_request_meets_an_error_of_ours_or_an_answer_that_is_not_described(own_jarvis: Jarvis, tmp_path: Path):
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration),
            "run", f"{own_jarvis.url}/openapi.json",
            "--header", f"Authorization: Bearer {own_jarvis.operator_key()}",
            "--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", "1",
            "--checks", CHECKS, "--request-timeout", "30",
            "--exclude-path", "/api/ingress/drain",  # it would end the server
        ],
        cwd=tmp_path, env=own_jarvis.environment, capture_output=True, text=True, timeout=RUN_SECS,
    )  # fmt: skip
    artifact("schemathesis.txt").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout[-4000:]
    assert own_jarvis.request("GET", "/readyz")[0] == 200
