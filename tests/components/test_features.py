from components.features import features_json, features_of
from models.registry import TASKS


def test_the_features_of_every_task_come_through_json_as_they_are() -> None:
    for task in TASKS.values():
        assert features_of(features_json(task.features)) == task.features
