"""What is told of positions, beside a plain reading of the papers."""

import numpy as np
import pytest

from models.layers.positions import Entrance
from tests.models.layers.equations import dense, normalized, randomized
from tests.models.layers.transformer_equations import sinusoid

H = 6


@pytest.mark.parametrize("kind", ["sinusoidal", "learned", "rotary"])
@pytest.mark.parametrize("width", [H, 4])
@pytest.mark.parametrize("norm", ["before", "after"])
def test_positions_are_added_to_embeddings_or_to_what_is_projected(kind, width, norm):
    rng = np.random.default_rng(1)
    entrance = Entrance(H, kind, 300, norm)
    entrance.build((None, None, width))
    randomized(entrance, rng)
    vectors, positions = rng.normal(size=(2, 3, width)).astype("float32"), np.array([0, 1, 299])
    found = entrance(vectors, positions)
    for row in range(2):
        for time, position in enumerate(positions):
            x = vectors[row, time]
            scale = H**0.5 if kind == "sinusoidal" else 1.0  # section 3.4
            wanted = x * scale if width == H else dense(entrance.projection, x)
            if kind == "sinusoidal":
                wanted = wanted + sinusoid(position, H)
            if kind == "learned":
                wanted = wanted + np.asarray(entrance.positions.position_embeddings)[position]
            if norm == "after" and kind != "sinusoidal":
                wanted = normalized(entrance.norm, wanted)
            np.testing.assert_allclose(found[row, time], wanted, atol=5e-5)
    one = entrance(vectors[:, 1:2], np.array([[1], [1]]))
    np.testing.assert_allclose(one, found[:, 1:2], atol=1e-6)
