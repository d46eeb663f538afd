"""Pipecat's `run_test` with patience: where a pipeline starts late, its own hangs for good, and a busy host is late."""

from functools import partial

from pipecat.tests.utils import run_test as of_pipecat

run_test = partial(of_pipecat, start_timeout=20.0)
