"""What a stage found, kept with its artifact in ML Metadata. Light: the history is read without TFX."""

import dataclasses
import json
import logging
from collections.abc import Mapping
from typing import Any, Protocol

# Custom properties of an artifact. A run of before has the first two with the run itself.
_METRICS, _SHORTFALLS, _PAGE = "seqline_metrics", "seqline_shortfalls", "seqline_page"
_WARNINGS, _DATA = "seqline_warnings", "seqline_data"

# The display of a run listens, so that a warning shows while the stages go on.
_logger = logging.getLogger("seqline.warnings")


class _Artifact(Protocol):
    def set_string_custom_property(self, key: str, value: str) -> None: ...


@dataclasses.dataclass(frozen=True)
class Findings:
    """What is told of a run.

    Attributes:
        metrics: by name, over all that was judged.
        shortfalls: the bounds that the model did not keep, one sentence each.
        page: what a person opens, in the artifact's folder; "" for the folder itself, None where there is nothing to
            look at.
        warnings: what a person would want to hear and what stops nothing, one sentence each.
        data: figures of the data, by name; shares are 0 to 1.
    """

    metrics: dict[str, float] = dataclasses.field(default_factory=dict)
    shortfalls: list[str] = dataclasses.field(default_factory=list)
    page: str | None = ""
    warnings: list[str] = dataclasses.field(default_factory=list)
    data: dict[str, float] = dataclasses.field(default_factory=dict)

    def keep(self, artifact: _Artifact, told: bool = False) -> None:
        """Puts them on a stage's output; from the cache they come with it, whoever launches the stages.

        Args:
            artifact: the output.
            told: whether the stage has told the warnings as it went.
        """
        artifact.set_string_custom_property(_METRICS, json.dumps(self.metrics))
        artifact.set_string_custom_property(_SHORTFALLS, json.dumps(self.shortfalls))
        if self.page is not None:
            artifact.set_string_custom_property(_PAGE, self.page)
        artifact.set_string_custom_property(_WARNINGS, json.dumps(self.warnings))
        artifact.set_string_custom_property(_DATA, json.dumps(self.data))
        for warning in () if told else self.warnings:
            _logger.warning("%s", warning)


def kept_findings(properties: Mapping[str, Any]) -> Findings | None:
    """Reads what was kept among custom properties, as ML Metadata has them; None where nothing was."""
    if _METRICS not in properties:
        return None
    return Findings(
        metrics=_read(properties, _METRICS, {}),
        shortfalls=_read(properties, _SHORTFALLS, []),
        page=properties[_PAGE].string_value if _PAGE in properties else None,
        warnings=_read(properties, _WARNINGS, []),
        data=_read(properties, _DATA, {}),
    )


def _read(properties: Mapping[str, Any], key: str, default: Any) -> Any:
    return json.loads(properties[key].string_value) if key in properties else default
