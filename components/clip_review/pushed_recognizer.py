"""The folder of the recognizer, looked at without TensorFlow: a mistake shows before a run starts."""

import json
from pathlib import Path
from typing import Any

from components.errors import EvaluationError

TASK = "audio_classification"
RULE = f"clips.recognizer must be the folder of a pushed model of task {TASK}"
WAY_OUT = "Train and push one by a configuration of its own, or leave clips.recognizer empty."


def find_recognizer(folder: str, sample_rate: int) -> Path:
    """The newest version of a pushed recognizer; without loading it, so that a mistake shows before a run starts.

    Args:
        folder: with one sub-folder for each version.
        sample_rate: of the clips, in hertz.

    Raises:
        EvaluationError: there is none, it solves another task, or it hears at another rate.
    """
    if not Path(folder).is_dir():
        raise EvaluationError(f"{RULE}. Received: {folder}, which does not exist. {WAY_OUT}")
    versions = [path for path in Path(folder).iterdir() if path.name.isdecimal() and path.is_dir()]
    if not versions:
        raise EvaluationError(
            f"{RULE}. Received: {folder}, which holds no version (a folder whose name is a number). {WAY_OUT}"
        )
    newest = max(versions, key=lambda path: int(path.name)).resolve()
    check_rate(read_description(newest), sample_rate)
    return newest


def read_description(version: Path) -> dict[str, Any]:
    """What a recognizer says of itself.

    Raises:
        EvaluationError: it says nothing, or solves another task.
    """
    try:
        described = json.loads((version / "assets.extra" / "seqline.json").read_text(encoding="utf-8"))
        task = described["task"]
    except (OSError, ValueError, KeyError) as error:
        raise EvaluationError(
            f"{RULE}. Received: {version}, whose assets.extra/seqline.json cannot be read. {WAY_OUT}"
        ) from error
    if task != TASK:
        raise EvaluationError(f"{RULE}. Received: {version}, of task {task}. {WAY_OUT}")
    return described


def check_rate(described: dict[str, Any], sample_rate: int) -> None:
    """Raises EvaluationError where the recognizer hears at another rate, in hertz, than the clips have."""
    rate = described["settings"]["audio"]["sample_rate"]
    if rate != sample_rate:
        raise EvaluationError(
            "clips.recognizer must hear at the rate of the clips (audio.sample_rate). "
            f"Received: {described['name']}, for {rate} Hz, and clips of {sample_rate} Hz. "
            "Train both with the same audio.sample_rate."
        )
