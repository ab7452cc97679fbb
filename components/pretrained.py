"""The encoder from which a model begins, before it is loaded."""

from pathlib import Path

from components.errors import EvaluationError
from components.other_models import OtherModel, read_model
from models.left_files import missing_files
from models.registry import TASKS
from models.run_settings import RunSettings
from models.settings import markers_of

SETTING, TASK = "training.init_from", "masked_language_modeling"
KIND = "a run, its id or its folder <output_dir>/artifacts/Trainer/model_run/<number>,"
# What decides how a text is cut; the vocabulary itself is taken over.
_CUTTING = ("unit", "model", "byte_fallback", "lowercase", "normalization")
# Keys of an architecture that are about no weight of its encoder.
_FREE = frozenset({"pooling", "embeddings", "tie_embeddings", "share_embeddings", "noise_snr_db"})


def read_pretrained(folder: Path, run: RunSettings) -> OtherModel:
    """What a run of masked language modelling has left, without loading it, so that a mistake shows before a run.

    Args:
        folder: artifact `model_run` of that run.
        run: which begins from it.

    Raises:
        EvaluationError: it is of another task, lacks something, or cuts texts or is sized in another way; all
            differences at once.
    """
    found = read_model(folder.resolve(), SETTING, TASK, KIND)
    if missing := missing_files(folder):
        raise EvaluationError(
            f"{SETTING} must be {KIND} of task {TASK}. Received: {folder}, which lacks {', '.join(missing)}. Run it "
            "again."
        )
    described = found.description.settings
    cutting, sizes = described["tokenizer"], described["model"]
    ours = run.tokenizer.model_dump(), run.model.model_dump()
    differences = [
        *(
            _difference(f"tokenizer.{key}", cutting[key], ours[0][key])
            for key in _CUTTING
            if cutting[key] != ours[0][key]
        ),
        *(_difference(f"model.{key}", sizes.get(key), ours[1].get(key)) for key in _sized(sizes, ours[1])),
    ]
    if differences:
        rule, way_out = (
            "names an encoder whose texts are cut and whose layers are sized as here",
            "Set these keys to what they are there",
        )
        if cutting["unit"] != run.tokenizer.unit and _unit_is_fixed(run):
            rule, way_out = f"of task {run.task} needs a run of unit {run.tokenizer.unit}", "Name such a run"
        raise EvaluationError(
            f"{SETTING} {rule}. Received: {folder}, with {', '.join(differences)}. {way_out}, or leave {SETTING} empty."
        )
    return found


def _unit_is_fixed(run: RunSettings) -> bool:
    use = markers_of(type(run.tokenizer).model_fields["unit"])["only_for"]
    return use not in TASKS[run.task].all_uses


def _sized(theirs: dict, ours: dict) -> list[str]:
    keys = [key for key in {**theirs, **ours} if key not in _FREE and "dropout" not in key]
    return [key for key in keys if theirs.get(key) != ours.get(key)]


def _difference(key: str, theirs: object, ours: object) -> str:
    return f"{key} {theirs} (here {ours})"
