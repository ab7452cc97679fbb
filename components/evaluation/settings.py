"""The `evaluation` section of the configuration file."""

from typing import Annotated, Literal

import pydantic

from models.features import Feature
from models.settings import Settings, only_for, only_with


class Bound(Settings):
    """The values that a metric may take; at least one of the two is given."""

    min: float | None = None
    """Least value that passes, in the unit of the metric: 0 to 1 for accuracy, AUC, F1 and exact match, 0 to 100 for
    BLEU and chrF, bits for bits_per_sample, bits_per_character and bits_per_byte, nats for cross_entropy and
    loss_per_prediction."""

    max: float | None = None
    """Greatest value that passes, in the unit of the metric."""

    @pydantic.model_validator(mode="after")
    def _bounds_something(self) -> "Bound":
        if self.min is None and self.max is None:
            raise ValueError('A threshold needs "min", "max" or both, for example {min: 0.8}. Received: neither.')
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f'"min" must not be above "max". Received: min={self.min}, max={self.max}.')
        return self


class AgainstBaseline(Settings):
    """A comparison with the last blessed model that refuses only what chance does not explain."""

    metric: str
    """The metric that is compared, as in `thresholds`."""

    worse_by: pydantic.NonNegativeFloat = 0.0
    """How much worse a new model may be at all, in the unit of the metric."""

    confidence: float = pydantic.Field(default=0.95, ge=0.5, lt=1.0)
    """How sure it must be that the new model is worse by more than `worse_by`, before it is refused: the share (0.5 to
    1) of resamples of the examples, by the paired bootstrap, in which it is."""


class EvaluationSettings(Settings):
    """How the exported model is judged before it may be pushed."""

    split: str = "eval"
    """Split whose examples judge the model."""

    thresholds: dict[str, Bound] = {}
    """Bounds by metric, over all examples of the split; a model outside one of them is not pushed.
    Example: {accuracy: {min: 0.84}}. For one class: {f1/<label>: {min: 0.7}}."""

    max_regression: dict[str, pydantic.NonNegativeFloat] = {}
    """By metric, how much worse than the last blessed model a new one may be, in the unit of the metric. Not looked at
    for a first model."""

    against_baseline: AgainstBaseline | None = None
    """Refuses a model that is worse than the last blessed one by more than chance, where `max_regression` looks at the
    two values alone. Example: {metric: bleu, worse_by: 0.5, confidence: 0.95}. Not looked at for a first model."""

    slice_by_label: bool = pydantic.Field(default=True, json_schema_extra=only_for("label"))
    """Whether all metrics are also computed for the examples of each label alone, and of each speaker."""

    slice_by: tuple[Annotated[str, pydantic.Field(min_length=1)], ...] = ()
    """Columns (or JSON keys) of the data for each of whose values all metrics are also computed, such as [country,
    source]; the model does not see them. Formats tsv, csv, jsonl and parquet only."""

    length_buckets: tuple[pydantic.PositiveInt, ...] = pydantic.Field(
        default=(10, 20, 40), json_schema_extra=only_for("lengths")
    )
    """Upper ends, inclusive, of the length ranges for which all metrics are also computed; the last range is open.
    Empty: no such slices."""

    length_unit: Literal["words", "characters"] = pydantic.Field(
        default="words", json_schema_extra=only_for("lengths") | only_with(length_buckets=True)
    )
    """Unit of `length_buckets`: words (between white space) or characters (for scripts without spaces)."""

    @property
    def compared(self) -> tuple[str, ...]:
        """The metrics in which a model is compared with the last blessed one."""
        tested = [self.against_baseline.metric] if self.against_baseline else []
        return tuple(dict.fromkeys([*self.max_regression, *tested]))

    @property
    def sliced_features(self) -> tuple[Feature, ...]:
        """What examples need besides the features of the task."""
        return tuple(Feature(name, "column") for name in self.slice_by)

    @pydantic.field_validator("slice_by")
    @classmethod
    def _names_each_once(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(columns)) < len(columns):
            raise ValueError(f"Each column is named once. Received: {list(columns)}.")
        return columns

    @pydantic.field_validator("length_buckets")
    @classmethod
    def _rises(cls, buckets: tuple[int, ...]) -> tuple[int, ...]:
        if list(buckets) != sorted(set(buckets)):
            raise ValueError(
                f"The ends of the length ranges must rise, for example [10, 20, 40]. Received: {list(buckets)}."
            )
        return buckets
