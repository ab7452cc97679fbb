"""Vectors of words drawn on a plane."""

import html

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from components.review.data_uri import data_uri
from components.review.result import Picture
from components.review.vectors.asking import Vector

# Fewer points make no map.
LEAST = 4
_SIDE, _MARGIN = 1000, 60
# As on the page, light and dark.
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1b1b1f}circle{fill:#2f5fb3}"
    "@media(prefers-color-scheme:dark){text{fill:#ececf1}circle{fill:#8fb4ff}}"
)


def draw_maps(vectors: list[Vector], seed: int) -> dict[str, Picture]:
    """Two maps by name, of `LEAST` words or more: by directions of the greatest variance, and by neighbourhoods.

    The latter is t-SNE (van der Maaten and Hinton, 2008), of vectors of length 1, so that distance follows the cosine.
    """
    values = np.stack([vector.values for vector in vectors])
    values = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    names = [vector.word for vector in vectors]
    perplexity = min(30.0, (len(names) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="random", random_state=seed)
    projected = {"PCA": PCA(2, random_state=seed).fit_transform(values), "t-SNE": tsne.fit_transform(values)}
    return {
        name: Picture(
            text=f"{name} map of {len(names)} words, such as {', '.join(names[:5])}",
            content=data_uri(svg_map(names, places).encode(), "image/svg+xml"),
        )
        for name, places in projected.items()
    }


def svg_map(names: list[str], places: np.ndarray) -> str:
    """Words at places, float (N, 2), as an SVG picture."""
    low, high = places.min(axis=0), places.max(axis=0)
    scaled = _MARGIN + (places - low) / np.maximum(high - low, 1e-12) * (_SIDE - 2 * _MARGIN)
    points = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2"/><text x="{x + 4:.1f}" y="{y + 4:.1f}">{html.escape(name)}</text>'
        for name, (x, y) in zip(names, scaled, strict=True)
    )
    size = f'viewBox="0 0 {_SIDE} {_SIDE}" width="{_SIDE}" height="{_SIDE}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{_STYLE}</style>{points}</svg>'
