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
        default: a number, or the dotted key of the run's settings that holds it, such as "decoding.beam_width".
        least: smallest value; a smaller one counts as this.
        most: greatest value; a greater one counts as this.
        meaning: for people.
        probe: value with which tests of a model ask: one with little work, at which rounding changes no answer; None:
            the default.
        spoken: another name, under which people give it in another unit; "" for none.
        spoken_unit: dotted key of the run's settings by which the spoken value is multiplied.
    """

    name: str
    dtype: Literal["int32", "float32"]
    default: float | str
    least: float
    most: float
    meaning: str
    probe: float | None = None
    spoken: str = ""
    spoken_unit: str = ""

    def default_in(self, settings: Any) -> float:
        """The value for a request that says nothing; `settings` is the run's `RunSettings`."""
        return look_up(settings, self.default) if isinstance(self.default, str) else self.default


def look_up(settings: Any, key: str) -> Any:
    """The value of a dotted key of settings."""
    return functools.reduce(getattr, key.split("."), settings)
