import pydantic
import pytest

from components.review.settings import ClipReviewSettings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"min_recognized": 0.5}, "clips.min_recognized needs clips.recognizer: nothing else says what is heard"),
        (
            {"min_recognized": 0.0, "recognizer": "ears", "per_label": 0},
            "clips.min_recognized needs clips.per_label of 1 or more",
        ),
        ({"min_recognized": 1.5, "recognizer": "ears"}, "less than or equal to 1"),
        ({"seconds": 0}, "greater than 0"),
        ({"temperature": -1}, "greater than or equal to 0"),
    ],
)
def test_settings_that_cannot_work_are_refused(values, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        ClipReviewSettings.model_validate(values)
