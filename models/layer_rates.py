"""Learning rates by layer: lower ones learn less, and later, than those near the output.

The rate of a layer is that of the layer above times `decay` (Howard and Ruder, 2018, section 3.2, with 1 / 2.6; Clark
et al., 2020, appendix B, with 0.8); layers begin to learn one after the other, from the top down (Howard and Ruder,
section 3.3). We differ in that a layer may begin after any number of steps, not after an epoch.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping

import keras
import tensorflow as tf

from models.tasks.code import TaskCode

_NUMBERED = re.compile(r"_(\d+)/")


@dataclasses.dataclass(frozen=True)
class LayerRates:
    """What each weight's learning rate is multiplied by.

    Attributes:
        below: path of a weight to how many layers it stands below the output, 0 for a head.
        decay: factor from a layer to the next one below.
        unfreeze_steps: steps from when a layer begins to learn to when the next one below does; 0: all begin at once.
    """

    below: Mapping[str, int]
    decay: float
    unfreeze_steps: int

    def factor(self, path: str, step: tf.Tensor) -> tf.Tensor:
        """For a weight, at a step counted from 0: float32 scalar, 0 as long as it does not learn."""
        below = self.below[path]
        learns = tf.cast(step, tf.int64) >= below * self.unfreeze_steps
        return tf.where(learns, self.decay**below, 0.0)


def layers_below(model: keras.Model, task: TaskCode) -> dict[str, int]:
    """How many layers each weight stands below the output.

    The embedding, and what stands before the first numbered layer of the encoder, is the lowest; what stands behind a
    numbered layer belongs to it; all that is not the encoder's is the head.

    Args:
        model: built.
        task: its task.
    """
    depths = _depths(task.bodies(model)["encoder"].weights)
    top = max(depths.values(), default=0) + 1
    embeddings = [embedding for each in task.token_embeddings(model).values() for embedding in each.weights]
    depths |= {weight.path: 0 for weight in embeddings}
    return {weight.path: top - depths.get(weight.path, top) for weight in model.weights}


def _depths(weights: Iterable[keras.Variable]) -> dict[str, int]:
    depths, depth = {}, 0
    for weight in weights:
        numbered = _NUMBERED.search(weight.path.partition("encoder/")[2])
        depth = int(numbered[1]) + 1 if numbered else depth
        depths[weight.path] = depth
    return depths
