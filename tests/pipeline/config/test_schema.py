import json
from typing import Any

import pytest

from pipeline.config.config import Config
from pipeline.config.schema import schema_text


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads(schema_text())


def test_the_schema_knows_every_section_and_says_what_keys_mean(schema: Any) -> None:
    assert set(schema["properties"]) == set(Config.model_fields)
    assert set(schema["required"]) == {"name", "task", "data", "model"}
    assert "stand under it" in schema["properties"]["name"]["description"]
    assert schema["additionalProperties"] is False
    epochs = schema["$defs"]["TrainingSettings"]["properties"]["epochs"]
    assert epochs["minimum"] == 1 and epochs["description"]


@pytest.mark.parametrize(
    ("settings", "key", "restriction"),
    [
        ("TrainingSettings", "weight_decay", " Only: with optimizer adamw."),
        (
            "EvaluationSettings",
            "length_unit",
            " Only: tasks text_classification, text_to_text, sequence_labeling; with length_buckets.",
        ),
        ("GatedConvSettings", "noise_snr_db", " Only: task audio_classification."),
        (
            "DecodingSettings",
            "coverage_penalty",
            " Only: a model with attention: seq2seq with another model.attention than none, gnmt or transformer.",
        ),
        (
            "Seq2SeqSettings",
            "input_feeding",
            " Only: task text_to_text; with attention luong_dot or luong_general or luong_concat.",
        ),
    ],
)
def test_a_restricted_key_says_so(schema: Any, settings: str, key: str, restriction: str) -> None:
    described = schema["$defs"][settings]["properties"][key]
    assert described["description"].endswith(restriction)
    assert not {"only_for", "only_with", "names_features"} & set(described)


def test_a_restricted_section_says_so_and_an_unrestricted_key_does_not(schema: Any) -> None:
    assert schema["properties"]["decoding"]["description"].endswith(" Only: tasks text_to_text, language_modeling.")
    assert "Only:" not in schema["$defs"]["TrainingSettings"]["properties"]["epochs"]["description"]
