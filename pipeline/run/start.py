"""The run from which another one begins: by its folder, or by its id in the history."""

from pathlib import Path

from components.errors import EvaluationError
from components.other_models import OtherModel, way_out
from components.pretrained import KIND, SETTING, TASK, read_pretrained
from pipeline.config.config import Config
from pipeline.history.runs import read_run
from pipeline.run.output_folder import OutputFolder

_OUTPUT = "Trainer/model_run"


def find_start(config: Config) -> OtherModel | None:
    """What the run that `training.init_from` names has left; None where it names none.

    Raises:
        EvaluationError: there is no such run or folder, its training has not ended, or it does not fit.
    """
    reference = config.training.init_from
    if not reference:
        return None
    folder = Path(reference)
    if not folder.is_dir():
        run = read_run(OutputFolder(config).metadata, reference)
        if run is None or _OUTPUT not in run.artifacts:
            received = f"{reference}, which is no folder, and no run of {config.output_dir} whose training has ended"
            raise EvaluationError(f"{SETTING} must be {KIND} of task {TASK}. Received: {received}. {way_out(SETTING)}")
        folder = Path(run.artifacts[_OUTPUT])
    return read_pretrained(folder, config.run_settings())
