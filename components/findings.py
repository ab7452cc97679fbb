"""What a judge of the model found, kept with its artifact in ML Metadata. Light: the history is read without TFX."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Protocol

# Custom properties of an artifact. A run of before has the first two with the run itself.
_METRICS, _SHORTFALLS, _PAGE = "seqline_metrics", "seqline_shortfalls", "seqline_page"
_WARNINGS = "seqline_warnings"


class _Artifact(Protocol):
    def set_string_custom_property(self, key: str, value: str) -> None: ...


@dataclasses.dataclass(frozen=True)
class Findings:
    """What is told of a run.

    Attributes:
        metrics: by name, over all that was judged.
        shortfalls: the bounds that the model did not keep, one sentence each.
        page: what a person opens, in the artifact's folder; "" for the folder itself.
        warnings: what a person should hear though it stops nothing, one sentence each.
    """

    metrics: dict[str, float] = dataclasses.field(default_factory=dict)
    shortfalls: list[str] = dataclasses.field(default_factory=list)
    page: str = ""
    warnings: list[str] = dataclasses.field(default_factory=list)

    def keep(self, artifact: _Artifact) -> None:
        """Puts them on a stage's output; from the cache they come with it, whoever launches the stages."""
        artifact.set_string_custom_property(_METRICS, json.dumps(self.metrics))
        artifact.set_string_custom_property(_SHORTFALLS, json.dumps(self.shortfalls))
        artifact.set_string_custom_property(_PAGE, self.page)
        artifact.set_string_custom_property(_WARNINGS, json.dumps(self.warnings))


def kept_findings(properties: Mapping[str, Any]) -> Findings | None:
    """Reads what was kept among custom properties, as ML Metadata has them; None where nothing was."""
    if _METRICS not in properties:
        return None
    shortfalls = properties[_SHORTFALLS].string_value if _SHORTFALLS in properties else "[]"
    return Findings(
        metrics=json.loads(properties[_METRICS].string_value),
        shortfalls=json.loads(shortfalls),
        page=properties[_PAGE].string_value if _PAGE in properties else "",
        warnings=json.loads(properties[_WARNINGS].string_value) if _WARNINGS in properties else [],
    )
