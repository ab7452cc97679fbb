"""The lines that a new architecture and a new task cost in tables that already stand."""

from models.features import Feature
from models.registry import ARCHITECTURES, TASKS, Architecture
from models.tasks.task import Judging, Task
from tests.toys.mean import MeanSettings

MEAN = Architecture(MeanSettings, frozenset({"encoder"}), "tests.toys.mean")
REVERSAL_CHECK = Task(
    "reversal_check",
    "tests.toys.reversal_check",
    features=(Feature("text", "text"), Feature("other", "text"), Feature("label", "label")),
    roles=("encoder",),
    judging=Judging("label", "label", ("example_count", "accuracy"), ("f1",), length_of="text"),
    uses=frozenset({"pooling"}),
)


def add_toys() -> None:
    """Before anything that reads the tables is imported."""
    ARCHITECTURES["mean"] = MEAN
    TASKS["reversal_check"] = REVERSAL_CHECK
