"""The recognizer that judges the clips, before it is loaded."""

from components.errors import EvaluationError
from components.other_models import OtherModel, find_model
from components.review.settings import ClipReviewSettings
from models.description import ModelDescription
from models.run_settings import RunSettings

SETTING, TASK = "clips.recognizer", "audio_classification"


def find_recognizer(settings: ClipReviewSettings, run: RunSettings) -> OtherModel | None:
    """The newest version of a pushed recognizer; without loading it, so that a mistake shows before a run starts.

    Args:
        settings: the section `clips`.
        run: of the model that makes the clips.

    Raises:
        EvaluationError: there is none, it solves another task, or it hears at another rate.
    """
    if not settings.recognizer:
        return None
    found = find_model(settings.recognizer, SETTING, TASK)
    check_rate(found.description, run.audio.sample_rate)
    return found


def check_rate(described: ModelDescription, sample_rate: int) -> None:
    """Raises EvaluationError where the recognizer hears at another rate, in hertz, than the clips have."""
    rate = described.settings.get("audio", {}).get("sample_rate")
    if rate != sample_rate:
        raise EvaluationError(
            "clips.recognizer must hear at the rate of the clips (audio.sample_rate). "
            f"Received: {described.name}, for {rate} Hz, and clips of {sample_rate} Hz. "
            "Train both with the same audio.sample_rate."
        )
