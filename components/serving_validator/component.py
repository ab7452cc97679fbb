"""Proves that the server can serve the exported model. TFX's InfraValidator needs Docker or Kubernetes for that.

Blesses as InfraValidator does with `make_warmup`: the blessing holds the model together with warm-up requests, for
Pusher to push.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tfx.components.infra_validator import executor as infra_validator
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples, InfraBlessing, Model
from tfx.utils import path_utils

from components.errors import NotServableError
from components.paths import local_copy, local_output
from components.serving_validator.answers import read_examples, requests_and_answers
from components.serving_validator.comparison import compare_served
from components.serving_validator.server import server
from components.serving_validator.warmup import write_warmup
from components.weights import broken_weights
from serving.settings import ServingSettings

_NUM_EXAMPLES = 16
_REASON_FILE = "reason.txt"


@component
def ServingValidator(  # noqa: N802
    model: InputArtifact[Model],
    examples: InputArtifact[Examples],
    blessing: OutputArtifact[InfraBlessing],
    name: Parameter[str],
    task: Parameter[str],
    settings_json: Parameter[str],
) -> None:
    """Serves the model, compares its answers with those it gives in process, and blesses it with warm-up requests.

    Args:
        model: the exported model.
        examples: raw, to ask about; those of the eval split where there is one.
        blessing: the verdict; with it the model and its warm-up requests, or the reason.
        name: name of the model.
        task: name of the task.
        settings_json: `ServingSettings` as JSON.
    """
    splits = artifact_utils.decode_split_names(examples.split_names)
    split = "eval" if "eval" in splits else splits[0]
    with (
        local_copy(path_utils.serving_model_path(model.uri)) as exported,
        local_copy(artifact_utils.get_split_uri([examples], split)) as held_out,
        local_output(blessing.uri) as folder,
    ):
        settings = ServingSettings.model_validate_json(settings_json)
        reason = validate(exported, read_examples(held_out, _NUM_EXAMPLES), folder, name, settings)
    if reason:
        blessing.set_string_custom_property("reason", f"{task} model {name}: {reason}")
        infra_validator._mark_not_blessed(blessing)
    else:
        blessing.set_int_custom_property("has_model", 1)
        infra_validator._mark_blessed(blessing)


def validate(model: Path, examples: Sequence[bytes], blessing: Path, name: str, settings: ServingSettings) -> str:
    """Validates a SavedModel.

    1. Looks whether all weights are finite numbers.
    2. Forms requests from the examples, for every signature whose inputs the examples can fill.
    3. Copies the model and writes the requests beside it as warm-up.
    4. Serves the copy in another process, asks it, and compares.

    Args:
        model: folder of the SavedModel.
        examples: serialized raw tf.Examples.
        blessing: folder that gets the copy of a good model, or `reason.txt`.
        name: name of the model.
        settings: of the server.

    Returns:
        Why the model cannot be served; empty when it can.
    """
    staging = blessing / "staging"
    served = staging / "1"
    try:
        if broken := broken_weights(model):
            raise NotServableError(f"weights that are not finite numbers: {', '.join(broken)}")
        requests, expected = requests_and_answers(model, examples)
        shutil.copytree(model, served)
        write_warmup(served, name, requests)
        with server(name, staging, settings, blessing / "server.log") as client:
            for signature in requests:
                compare_served(client, signature, requests[signature], expected[signature])
    except NotServableError as error:
        (blessing / _REASON_FILE).write_text(f"{error}\n", encoding="utf-8")
        return str(error)
    else:
        os.rename(served, path_utils.stamped_model_path(str(blessing)))
        return ""
    finally:
        shutil.rmtree(staging, ignore_errors=True)
