"""A WaveNet with fresh weights, exported as the pipeline exports a trained one: its speed is the same.

python -m benchmarks.audio.untrained FOLDER SETTINGS      (SETTINGS: JSON of `settings_of`)
"""

import json
import sys
from pathlib import Path
from typing import Any


def settings_of(
    hidden_dim: int, skip_dim: int, dilation_depth: int, num_stacks: int, sample_rate: int
) -> dict[str, Any]:
    """`RunSettings` of a model without conditions."""
    return {
        "name": "untrained",
        "task": "audio_generation",
        "audio": {"sample_rate": sample_rate},
        "model": {
            "architecture": "wavenet",
            "hidden_dim": hidden_dim,
            "skip_dim": skip_dim,
            "dilation_depth": dilation_depth,
            "num_stacks": num_stacks,
        },
    }


def export_untrained(folder: Path, settings: dict[str, Any]) -> None:
    """Writes the SavedModel, `assets.extra` included."""
    import keras

    from models.export import export
    from models.run_settings import RunSettings
    from models.tokenizers.vocabularies import Vocabularies
    from models.training import build_model

    run = RunSettings.model_validate(settings)
    keras.utils.set_random_seed(run.seed)
    vocabularies = Vocabularies(run.tokenizer, {})
    export(build_model(run, vocabularies), run, vocabularies, str(folder), {"metrics": {}})


if __name__ == "__main__":
    export_untrained(Path(sys.argv[1]), json.loads(sys.argv[2]))
