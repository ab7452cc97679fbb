"""What a training leaves for other runs to begin from: names of files in the artifact `model_run`, without Keras."""

import pathlib

BODIES_FOLDER = "bodies"
VOCABULARIES_FOLDER = "vocabularies"
TOKEN_VECTORS = "token_vectors.npy"
_NEEDED = (f"{BODIES_FOLDER}/encoder.weights.h5", f"{VOCABULARIES_FOLDER}/tokenizer.json", TOKEN_VECTORS)


def missing_files(folder: pathlib.Path) -> list[str]:
    """What the folder lacks for a model to begin with its encoder."""
    return [name for name in _NEEDED if not (folder / name).is_file()]
