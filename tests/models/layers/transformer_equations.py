"""The equations of the Transformer read plainly: NumPy, a row, a head and a position at a time."""

from collections.abc import Callable

import numpy as np
from scipy.special import erf

from tests.models.layers.equations import dense, normalized, sigmoid, softmax


def turned(x, position):
    """Su et al. (2024), eq. 34: the halves of a head are the coordinates of points, each turned by its own angle."""
    half = len(x) // 2
    found = np.zeros(len(x))
    for index in range(half):
        angle = position * 10000 ** (-2 * index / len(x))
        found[index] = x[index] * np.cos(angle) - x[index + half] * np.sin(angle)
        found[index + half] = x[index + half] * np.cos(angle) + x[index] * np.sin(angle)
    return found


def sinusoid(position, width):
    """Vaswani et al. (2017), section 3.5."""
    angles = [position / 10000 ** (2 * (index // 2) / width) for index in range(width)]
    return np.array([np.cos(angle) if index % 2 else np.sin(angle) for index, angle in enumerate(angles)])


def by_heads(layer, asking, asked, visible: Callable[[int, int], bool], turn=lambda x, position: x):
    """Vaswani et al. (2017), eq. 1 and section 3.2.2: what is found (T, H), and weights (A, T, S)."""
    width = layer.hidden_dim // layer.num_heads
    found, weights = [], np.zeros((layer.num_heads, len(asking), len(asked)))
    for t, x in enumerate(asking):
        heads = []
        for head in range(layer.num_heads):
            part = slice(head * width, (head + 1) * width)
            query = turn(dense(layer.query, x)[part], t)
            keys = [turn(dense(layer.key, y)[part], s) for s, y in enumerate(asked)]
            scores = [query @ key / np.sqrt(width) if visible(t, s) else -np.inf for s, key in enumerate(keys)]
            weights[head, t] = softmax(np.array(scores))
            values = [dense(layer.value, y)[part] for y in asked]
            heads.append(sum(a * v for a, v in zip(weights[head, t], values, strict=True)))
        found.append(dense(layer.output_projection, np.concatenate(heads)))
    return np.array(found), weights


def network(layer, x):
    """Eq. 2 with relu; Hendrycks and Gimpel (2016); Shazeer (2020), eq. 6."""
    inner = dense(layer.inner, x)
    if layer.gated is not None:
        return dense(layer.outer, inner * sigmoid(inner) * dense(layer.gated, x))
    is_relu = layer.inner.activation.__name__ == "relu"
    return dense(layer.outer, np.maximum(inner, 0) if is_relu else inner * (1 + erf(inner / np.sqrt(2))) / 2)


def around(part, rows, found: Callable):
    """Section 3.1, after; Xiong et al. (2020), table 1, before."""
    if part.is_before:
        return rows + found(np.array([normalized(part.norm, row) for row in rows]))
    return np.array([normalized(part.norm, row) for row in rows + found(rows)])


def block(layer, rows, visible: Callable[[int, int], bool], source=None, turn=lambda x, position: x):
    """A layer over the positions of one row, and the weights of its source, None without one."""
    weights = None
    rows = around(layer.around_self, rows, lambda read: by_heads(layer.self_attention, read, read, visible, turn)[0])
    if source is not None:
        looked = []
        rows = around(
            layer.around_source,
            rows,
            lambda read: (
                looked.append(by_heads(layer.source_attention, read, source, lambda t, s: True)) or looked[0][0]
            ),
        )
        weights = looked[0][1]
    found = around(
        layer.around_feed_forward, rows, lambda read: np.array([network(layer.feed_forward, x) for x in read])
    )
    return found, weights
