"""Out-of-sample measures and their inference, from saved results alone."""

from latentbeta.evaluation.evaluate import evaluate
from latentbeta.evaluation.ladder import LADDER, ModelKey

__all__ = ["LADDER", "ModelKey", "evaluate"]
