"""What a client may decide for each request: one list for signature, limits, documents, description and commands."""

import dataclasses
import functools
from typing import Any, Literal


@dataclasses.dataclass(frozen=True)
class RequestSetting:
    """An input of a signature that no example fills: a setting of the request.

    Attributes:
        name: of the input.
        dtype: of the input, one value for each request, (B,).
        default: a number, or the dotted key of the run's settings that holds it, such as "decoding.beam_width"; of a
            string the string itself.
        least: smallest value; a smaller one counts as this. Of a string the bytes that it must have: 0.
        most: greatest value; a greater one counts as this. Of a string the bytes that it may have; what is longer is
            cut off.
        meaning: for people.
        probe: value with which tests of a model ask: one with little work, at which rounding changes no answer; None:
            the default.
        spoken: another name, under which people give it in another unit; "" for none.
        spoken_unit: dotted key of the run's settings by which the spoken value is multiplied.
    """

    name: str
    dtype: Literal["int32", "float32", "string"]
    default: float | str
    least: float
    most: float
    meaning: str
    probe: float | str | None = None
    spoken: str = ""
    spoken_unit: str = ""

    @property
    def is_text(self) -> bool:
        """Whether it is a string, and no number."""
        return self.dtype == "string"

    def default_in(self, settings: Any) -> float | str:
        """The value for a request that says nothing; `settings` is the run's `RunSettings`."""
        if self.is_text:
            return self.default
        return look_up(settings, self.default) if isinstance(self.default, str) else self.default


def look_up(settings: Any, key: str) -> Any:
    """The value of a dotted key of settings."""
    return functools.reduce(getattr, key.split("."), settings)
