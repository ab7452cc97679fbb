"""What a model says of the signatures that give an answer piece by piece, in `assets.extra/seqline.json`."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serving.core.padded_outputs import DESCRIPTION_FILE

_log = logging.getLogger("seqline.serving")

Setting = int | float | str


@dataclass(frozen=True)
class Streaming:
    """Two signatures, and the tensors that go from the one to the other and round.

    Attributes:
        prefill: Begins: the inputs of a request to the whole state of a row.
        step: Goes on: the whole state to what changes in it, and the answer so far.
        state: Tensors of the state, under the same name wherever they go in or come out. All have the rows first.
        defaults: Settings of requests that do not bring them.
    """

    prefill: str
    step: str
    state: tuple[str, ...]
    defaults: Mapping[str, Setting]


def read_streaming(model: Path) -> Streaming | None:
    """Reads what a model says of itself; None where it gives no answer piece by piece.

    Args:
        model: Folder of a SavedModel.
    """
    file = model / DESCRIPTION_FILE
    if not file.is_file():
        return None
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        streaming = said.get("streaming")
        if streaming is None:
            return None
        defaults = {setting["name"]: setting["default"] for setting in said["request_settings"]}
        return Streaming(streaming["prefill"], streaming["step"], tuple(streaming["state"]), defaults)
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        # A file of that name may be anyone's.
        _log.warning("%s: no answer is given piece by piece, for it cannot be read: %s", file, error)
        return None
