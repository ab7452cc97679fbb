"""The one contract of all decoding: what search, sampling and compiled pieces ask of a model.

N: rows that are decoded together, V: values of an element.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

# (previous elements int32 (N,), cache) -> (logits float32 (N, V), cache).
# Every tensor of a cache has N rows, so that a search can reorder them, and the same shape from the first step to the
# last: keys and values of all positions to come included. Inside a compiled piece, where no row changes its place, the
# cache may have a layout of the decoder's own.
NextToken = Callable[[tf.Tensor, Any], tuple[tf.Tensor, Any]]
