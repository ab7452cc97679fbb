import pydantic
import pytest

from models.decoding.settings import MOST_BEAMS, MOST_TOKENS, DecodingSettings


def test_the_limits_themselves_may_be_asked_for():
    settings = DecodingSettings(beam_width=MOST_BEAMS, max_length=MOST_TOKENS, coverage_penalty=0.2)
    assert (settings.beam_width, settings.max_length, settings.coverage_penalty) == (64, 1024, 0.2)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_length", 5000),
        ("max_length", MOST_TOKENS + 1),
        ("beam_width", MOST_BEAMS + 1),
        ("coverage_penalty", -0.1),
        ("coverage_penalty", float("inf")),
    ],
)
def test_what_no_search_could_keep_to_is_refused(key, value):
    with pytest.raises(pydantic.ValidationError, match=key):
        DecodingSettings(**{key: value})
