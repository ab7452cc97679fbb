"""Outputs whose rows are padded to the longest of a batch, cut to what a request gets that is alone.

A model of ours says in `assets.extra/seqline.json` which axes of its outputs these are, and what tells their length.
"""

import json
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_log = logging.getLogger("seqline.serving")
DESCRIPTION_FILE = Path("assets.extra") / "seqline.json"


@dataclass(frozen=True)
class PaddedAxis:
    """An axis that several outputs of a signature have in common.

    Attributes:
        outputs: Output to the number of its axis; 0 is that of the rows.
        told_by: The output that tells its length, or the input.
        padding: What `told_by` holds behind the end of a row, in its own axis of this kind or in axis 1; None where it
            holds the lengths themselves.
        least: Shortest length.
        most: Longest; None for any.
    """

    outputs: Mapping[str, int]
    told_by: str
    padding: float | str | None = None
    least: int = 0
    most: int | None = None

    def concerns(self, aliases: Collection[str]) -> bool:
        """Whether one of these outputs has the axis."""
        return any(alias in aliases for alias in self.outputs)

    def length(self, tensors: Mapping[str, np.ndarray]) -> int:
        """How long it is for the longest row; `tensors` has inputs and outputs by name."""
        told = tensors[self.told_by]
        if self.padding is None:
            length = int(told.max(initial=0))
        else:
            padding = self.padding.encode() if isinstance(self.padding, str) else told.dtype.type(self.padding)
            places = np.nonzero(told != padding)[self.outputs.get(self.told_by, 1)]
            length = int(places.max(initial=-1)) + 1
        length = max(length, self.least)
        return length if self.most is None else min(length, self.most)


def read_padded_axes(model: Path) -> dict[str, list[PaddedAxis]]:
    """Reads what a model says of itself: signature to its padded axes; nothing where it says nothing.

    Args:
        model: Folder of a SavedModel.
    """
    file = model / DESCRIPTION_FILE
    if not file.is_file():
        return {}
    try:
        said = json.loads(file.read_text(encoding="utf-8")).get("padded_axes", {})
        return {signature: [PaddedAxis(**axis) for axis in axes] for signature, axes in said.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        # A file of that name may be anyone's.
        _log.warning("%s: outputs stay as long as a batch makes them, for it cannot be read: %s", file, error)
        return {}


def cut(
    outputs: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray], axes: Iterable[PaddedAxis]
) -> dict[str, np.ndarray]:
    """Cuts the outputs of one request.

    Args:
        outputs: Output to array, those that tell a length among them.
        inputs: Input to array.
        axes: Of the signature.
    """
    shorter, tensors = dict(outputs), {**inputs, **outputs}
    for axis in axes:
        if not axis.concerns(outputs):
            continue
        try:
            length = axis.length(tensors)
        except (IndexError, TypeError, ValueError, OverflowError):
            # The file says of the model what is not so, or the length is no number: the outputs stay as they are.
            return dict(outputs)
        for alias, number in axis.outputs.items():
            if alias in outputs and 1 <= number < outputs[alias].ndim:
                shorter[alias] = shorter[alias][(slice(None),) * number + (slice(length),)]
    return shorter
