"""What all bots share: imported once, by the parent that bots are forked from, which has no thread and no event loop.

With `steady` the only module that does something as it is imported. `multiprocessing`'s forkserver preloads modules by
name, and what stands in memory before the fork is shared by all bots after it.
"""

import gc

import aiortc  # noqa: F401
import numpy as np
from aiortc.rtcdtlstransport import RTCCertificate

import bot.process  # noqa: F401
from bot.turns import TurnModels

MODELS = TurnModels.load()

# A first inference sets up ONNX Runtime's memory; a first certificate loads OpenSSL's curves.
MODELS.vad._model(np.zeros(512, dtype=np.float32), 16000)
MODELS.vad._model.reset_states()
MODELS.turn._predict_endpoint(np.zeros(16000, dtype=np.float32))
RTCCertificate.generateCertificate()

gc.collect()
gc.freeze()
