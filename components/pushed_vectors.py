"""The vectors of words with which a model's tokens begin, before they are loaded."""

from pathlib import Path

from components.errors import EvaluationError
from components.other_models import OtherModel, find_model
from models.description import ModelDescription
from models.errors import SeqlineError
from models.run_settings import RunSettings
from models.words.files import check_width, read_size

SETTING, TASK = "model.embeddings.from", "word_embedding"


def find_vectors(run: RunSettings) -> OtherModel | None:
    """The newest version of a pushed model of word vectors, or a file of them; None where the run asks for none.

    Without loading them, so that a mistake shows before a run starts.

    Args:
        run: of the model whose tokens begin with them.

    Raises:
        EvaluationError: there is none, it cannot be read, or its vectors are of another width.
    """
    embeddings = getattr(run.model, "embeddings", None)
    if embeddings is None or not embeddings.source:
        return None
    try:
        path = embeddings.source
        found = _of_file(Path(path)) if Path(path).is_file() else find_model(path, SETTING, TASK)
        width = found.description.settings["model"]["embedding_dim"]
        check_width(width, run.model.embedding_dim, str(found.folder))
    except (ValueError, SeqlineError) as error:
        raise EvaluationError(str(error)) from error
    return found


def _of_file(file: Path) -> OtherModel:
    settings = {"model": {"embedding_dim": read_size(file)[1]}}
    return OtherModel(file.resolve(), ModelDescription(name=file.name, task=TASK, architecture="", settings=settings))
