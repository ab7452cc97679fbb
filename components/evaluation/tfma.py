"""TensorFlow Model Analysis, imported in the one order in which it is whole.

Imported before TFX's public API the package lacks `EvalConfig`, which TFX's own Evaluator needs, for the rest of the
process. All code here takes `tfma`, and the messages of its configuration, which it does not export in full, from this
module.
"""

from tfx import v1 as tfx  # isort: skip
import tensorflow_model_analysis as tfma  # isort: skip
from tensorflow_model_analysis.proto import config_pb2  # isort: skip

__all__ = ["config_pb2", "tfma", "tfx"]
