"""The section `data.gate` of the configuration: what is done about records that can be read and look wrong."""

from typing import Literal

import pydantic

from components.example_gen.scripts import scripts
from components.example_gen.suggestions import did_you_mean
from models.settings import Settings, only_for, only_with

Action = Literal["off", "warn", "quarantine", "fail"]


class GateSettings(Settings):
    """For each rule, what becomes of a record that breaks it.

    off: nothing; warn: it stays, and is counted and told; quarantine: it is set aside, named by file, line and rule in
    `refused.jsonl` and the report, and does not count for `data.max_bad_fraction`; fail: the run stops before training.
    `seqline run --approve RULE` turns fail and quarantine into warn for one run.
    """

    control_characters: Action = "warn"
    """Texts with control characters other than tabs and line breaks, such as NUL or an escape."""

    scripts: Action = pydantic.Field("warn", json_schema_extra=only_with(allowed_scripts=True))
    """Texts of whose letters more than a tenth are of scripts beside `allowed_scripts`."""

    allowed_scripts: tuple[str, ...] = ()
    """Scripts of the texts, by the first word of the Unicode names of their letters, such as [latin, cyrillic]. Empty:
    all."""

    length_ratio: Action = pydantic.Field("warn", json_schema_extra=only_for("source"))
    """Pairs of texts of which one has more than `max_length_ratio` times as many characters as the other."""

    max_length_ratio: float = pydantic.Field(9.0, ge=1.0, json_schema_extra=only_for("source"))
    """Greatest ratio of the lengths of a pair, in characters; pairs of at most 20 characters are not judged."""

    sound: Action = pydantic.Field("warn", json_schema_extra=only_for("audio"))
    """Recordings that are silent or clipped, as the reader remarks."""

    repeated: Literal["off", "warn", "fail"] = "warn"
    """Inputs that train has too, where they are more than 1 % of another split."""

    @pydantic.field_validator("allowed_scripts")
    @classmethod
    def _known_in_capitals(cls, allowed: tuple[str, ...]) -> tuple[str, ...]:
        capitals = tuple(script.upper() for script in allowed)
        for script in capitals:
            if script not in scripts():
                raise ValueError(
                    "Scripts are named by the first word of the Unicode names of their letters, such as latin, "
                    f"cyrillic, hangul, cjk (for han). Received: {script}.{did_you_mean(script, scripts())}"
                )
        return capitals
