"""A seq2seq with fresh weights, exported as the pipeline exports a trained one: a step of its search takes as long.

python -m benchmarks.recurrent.untrained FOLDER PIECES MAX_LENGTH
"""

import sys
from pathlib import Path
from typing import Any

from benchmarks.recurrent.shapes import SHAPES


def settings_of(max_length: int) -> dict[str, Any]:
    """`RunSettings` of the seq2seq of the training benchmark, for targets of so many tokens."""
    settings = SHAPES["attention seq2seq, 256 wide"].settings("float32")
    return settings | {"decoding": settings["decoding"] | {"beam_width": 5, "max_length": max_length}}


def export_untrained(folder: Path, settings: dict[str, Any], pieces: int) -> None:
    """Writes the SavedModel, `assets.extra` included."""
    import keras

    from benchmarks.recurrent.vocabularies import vocabularies_of
    from models.export import export
    from models.run_settings import RunSettings
    from models.training import build_model

    run = RunSettings.model_validate(settings)
    keras.utils.set_random_seed(run.seed)
    vocabularies = vocabularies_of(run, pieces)
    export(build_model(run, vocabularies), run, vocabularies, str(folder), {"metrics": {}})


if __name__ == "__main__":
    export_untrained(Path(sys.argv[1]), settings_of(int(sys.argv[3])), int(sys.argv[2]))
