"""The vocabularies of a model that has not seen any text."""

from benchmarks.recurrent.shapes import LABELS, words
from models.features import learned_features
from models.registry import TASKS
from models.run_settings import RunSettings
from models.tokenizers.vocabularies import Vocabularies


def vocabularies_of(run: RunSettings, pieces: int) -> Vocabularies:
    """So many pieces for each text of the task, and two labels where it has any."""
    features = TASKS[run.task].features
    categories = dict.fromkeys(learned_features(features, "categories"), LABELS)
    return Vocabularies(
        run.tokenizer, {name: words(pieces) for name in learned_features(features, "pieces")}, categories
    )
