import numpy as np
import pytest

from models.layers.connections import CONNECTIONS, Highway
from tests.models.layers.equations import connected, randomized

WIDTH, INPUT = 4, 3


@pytest.mark.parametrize("name", CONNECTIONS)
def test_a_layer_is_joined_to_those_below_as_in_the_paper(name):
    rng = np.random.default_rng(0)
    connection = CONNECTIONS[name](WIDTH)
    connection.build((None, WIDTH), (None, WIDTH))
    randomized(connection, rng)
    below = [rng.normal(size=(2, 5, width)).astype("float32") for width in (INPUT, WIDTH, WIDTH)]
    kernel = rng.normal(size=(connection.width([INPUT, WIDTH, WIDTH]), WIDTH)).astype("float32")
    given = connection(below[-1], np.tanh(connection.read(below) @ kernel))
    for row in range(2):
        for time in range(5):
            here = [vectors[row, time] for vectors in below]
            expected = connected(name, connection, here, lambda x: np.tanh(x @ kernel))
            np.testing.assert_allclose(given[row, time], expected, atol=1e-5)


def test_a_fresh_highway_carries_most_of_what_it_is_given():
    highway = Highway(WIDTH)
    given = highway(np.zeros((1, WIDTH), "float32"), np.ones((1, WIDTH), "float32"))
    np.testing.assert_allclose(given, np.full((1, WIDTH), 1 / (1 + np.exp(2))), atol=1e-6)
