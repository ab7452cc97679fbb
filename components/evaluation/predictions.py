"""What the models answered to each example, kept beside the figures, so that nobody has to ask them again.

TFMA writes figures alone. Its own PredictionsWriter would do, were the features not Arrow tables in it.
"""

import contextlib
import contextvars
import gzip
import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pydantic

from components.evaluation.tfma import tfma

FILE = "predictions.jsonl.gz"
# What is longer is no answer that a person reads, but one of its parts for each of many positions.
_MOST_VALUES = 2000
# TFX hands `custom_extractors` no place to write.
_FOLDER: contextvars.ContextVar[str | None] = contextvars.ContextVar("folder of the predictions", default=None)


class Prediction(pydantic.BaseModel):
    """One example of the split with what the models made of it.

    Attributes:
        features: its texts, by feature; a list where it has many. Sound is left out.
        right: the right answer, texts.
        digest: of the whole example, sound included; "" where an older evaluation has none.
        outputs: of the model that is judged, by name, without the batch dimension; what is long is left out.
        previous: of the last blessed model; empty where there was none to compare with.
        slices: names of the slices that it belongs to, besides all examples.
    """

    model_config = pydantic.ConfigDict(frozen=True)

    features: dict[str, str | list[str]]
    right: list[str]
    digest: str = ""
    outputs: dict[str, Any]
    previous: dict[str, Any] = {}
    slices: list[str] = []


@contextlib.contextmanager
def kept_in(folder: str) -> Iterator[None]:
    """What is evaluated inside the `with` writes its predictions there."""
    token = _FOLDER.set(folder)
    try:
        yield
    finally:
        _FOLDER.reset(token)


def keeping_extractors(slice_name: Callable[[Any], str], derived: Collection[str]) -> list[Any]:
    """TFMA's extractor that writes the predictions, to stand behind all others; none where nobody asked for them.

    Args:
        slice_name: from a slice key of TFMA to the name for people.
        derived: features that the evaluation has made, which are none of the example.
    """
    folder = _FOLDER.get()
    if folder is None:
        return []
    keeping = _Keep(f"{folder}/{FILE.removesuffix('.gz')}", slice_name, frozenset(derived))
    return [tfma.extractors.Extractor(stage_name="KeepPredictions", ptransform=keeping)]


def load_predictions(folder: str | Path) -> list[Prediction]:
    """Those of an evaluation, in an order that does not depend on Beam's; none where an older one has no file."""
    file = Path(folder) / FILE
    if not file.exists():
        return []
    with gzip.open(file, "rt", encoding="utf-8") as stream:
        return [Prediction.model_validate(json.loads(line)) for line in sorted(stream)]


class _Keep(beam.PTransform):
    """Writes a line for each example, and hands the extracts on as they are."""

    def __init__(self, path: str, slice_name: Callable[[Any], str], derived: Collection[str]) -> None:
        super().__init__()
        self._path, self._slice_name, self._derived = path, slice_name, derived

    def expand(self, extracts: beam.PCollection) -> beam.PCollection:
        (
            extracts
            | "ToLine" >> beam.Map(_to_line, slice_name=self._slice_name, derived=self._derived)
            | "Write"
            >> beam.io.WriteToText(
                self._path,
                file_name_suffix=".gz",
                num_shards=1,
                shard_name_template="",
                compression_type=beam.io.filesystem.CompressionTypes.GZIP,
            )
        )
        return extracts


def _to_line(extracts: Mapping[str, Any], slice_name: Callable[[Any], str], derived: Collection[str]) -> str:
    candidate, previous = _outputs(extracts[tfma.PREDICTIONS_KEY])
    labels = extracts[tfma.LABELS_KEY]
    if isinstance(labels, Mapping):
        labels = next(iter(labels.values()))
    # Beam gives them in any order.
    names = sorted(slice_name(key) for key in extracts[tfma.SLICE_KEY_TYPES_KEY] if key)
    prediction = Prediction(
        features={
            name: texts
            for name, value in extracts[tfma.FEATURES_KEY].items()
            if name not in derived and (texts := _texts(value))
        },
        right=_strings(labels),
        digest=hashlib.sha256(extracts[tfma.INPUT_KEY]).hexdigest()[:16],
        outputs=candidate,
        previous=previous,
        slices=names,
    )
    return json.dumps(prediction.model_dump(), ensure_ascii=False)


def _outputs(predictions: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of the candidate and of the last blessed model."""
    if tfma.BASELINE_KEY in predictions:
        both = (predictions[tfma.CANDIDATE_KEY], predictions[tfma.BASELINE_KEY])
    else:
        both = (predictions, {})
    first, second = (
        {name: _plain(value) for name, value in one.items() if np.size(value) <= _MOST_VALUES} for one in both
    )
    return first, second


def _plain(value: Any) -> Any:
    """A tensor as JSON has it: texts, or numbers with the seven digits of a float32."""
    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        return np.vectorize(_text, otypes=[object])(array).tolist() if array.size else []
    if array.dtype.kind == "f":
        return np.vectorize(lambda number: float(f"{number:.9g}"), otypes=[float])(array).tolist() if array.size else []
    return array.tolist()


def _texts(value: Any) -> str | list[str]:
    """A feature's texts; "" for one that holds no texts, such as sound, or that the example lacks."""
    array = np.asarray(value)
    if array.dtype.kind not in "OSU" or not array.size or array.ravel()[0] is None:
        return ""
    texts = _strings(array)
    return texts[0] if len(texts) == 1 else texts


def _strings(value: Any) -> list[str]:
    return [_text(item) for item in np.asarray(value, dtype=object).ravel() if item is not None]


def _text(item: Any) -> str:
    return item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)
