"""Whether all weights of an exported model are numbers: looked at in its files, without running it."""

from pathlib import Path

import numpy as np
import tensorflow as tf


def broken_weights(model: Path) -> list[str]:
    """Names of the variables of a SavedModel that hold a value that is not finite."""
    index = model / "variables" / "variables.index"
    if not index.exists():
        return []
    reader = tf.train.load_checkpoint(str(model / "variables" / "variables"))
    dtypes = reader.get_variable_to_dtype_map()
    floats = sorted(name for name, dtype in dtypes.items() if dtype.is_floating)
    # bfloat16 is none of NumPy's own types.
    return [name for name in floats if not np.isfinite(reader.get_tensor(name).astype(np.float64)).all()]
