"""What a model says of itself: `assets.extra/seqline.json` of a SavedModel."""

import pathlib
from typing import Any, Literal

import pydantic

from models.errors import SeqlineError

FILE = pathlib.Path("assets.extra") / "seqline.json"


class DescribedRequestSetting(pydantic.BaseModel):
    """A setting that each request may have, as `models.request_settings.RequestSetting` says it."""

    model_config = pydantic.ConfigDict(frozen=True, use_attribute_docstrings=True)

    name: str
    """Of the input."""
    dtype: Literal["int32", "float32", "string"]
    """Of the input."""
    default: float | str
    """For a request that says nothing."""
    least: float
    """Smallest value; a smaller one counts as this. Of a string its length in bytes."""
    most: float
    """Greatest value; a greater one counts as this. Of a string its length in bytes."""
    meaning: str
    """For people."""
    probe: float | str
    """With which tests of the model ask: little work, and rounding changes no answer."""


class PaddedAxis(pydantic.BaseModel):
    """An axis of outputs that is as long as the longest row of a batch, so that neighbours show in it.

    A server that knows it cuts the answer of each request to what it would be alone.
    """

    model_config = pydantic.ConfigDict(frozen=True, use_attribute_docstrings=True)

    outputs: dict[str, int]
    """Output to the number of its axis; 0 is that of the rows."""
    told_by: str
    """The output that tells the length of a row, or the input."""
    padding: float | str | None = None
    """What stands in `told_by` behind the end of a row; null where it holds lengths."""
    least: int = 0
    """Shortest length; a shorter one counts as this."""
    most: int | None = None
    """Longest length; null for any."""


class Streaming(pydantic.BaseModel):
    """Signatures that give an answer piece by piece to a caller that keeps the state of each row between the steps."""

    model_config = pydantic.ConfigDict(frozen=True, use_attribute_docstrings=True)

    prefill: str
    """The signature that begins: inputs of a request to the whole state."""
    step: str
    """The signature that goes on: the whole state to what changes in it, and the answer so far."""
    state: list[str]
    """Tensors of the state, under the same name wherever they go in or come out. All have the rows first."""


class ModelDescription(pydantic.BaseModel):
    """The description file, version 1. What is unknown is ignored; a model of before has no version key."""

    # A loss may be no number; JSON's null would say nothing of it.
    model_config = pydantic.ConfigDict(frozen=True, use_attribute_docstrings=True, ser_json_inf_nan="constants")

    version: Literal[1] = 1
    """Of this form."""
    name: str
    """Of the model."""
    task: str
    """Key of `models.registry.TASKS`."""
    architecture: str
    """Key of `models.registry.ARCHITECTURES`."""
    settings: dict[str, Any]
    """The run's `RunSettings`."""
    labels: list[str] = []
    """Values of the feature `label`."""
    categories: dict[str, list[str]] = {}
    """Label feature to its values."""
    request_settings: list[DescribedRequestSetting] = []
    """What a client may decide for each request."""
    request_defaults: dict[str, float | str] = {}
    """The same, name to probe alone."""
    padded_axes: dict[str, list[PaddedAxis]] = {}
    """Signature to the axes of its outputs that are padded."""
    streaming: Streaming | None = None
    """Signatures that give an answer piece by piece; null for a model that has none."""
    code_version: str = ""
    """Hash of the code that trained it."""
    metrics: dict[str, float] = {}
    """Of the validation, in the epoch that was kept."""
    vectors_found: dict[str, float] = {}
    """Text feature to the share of its vocabulary that began with vectors of another run (model.embeddings)."""

    def write(self, model: pathlib.Path) -> None:
        """Writes the file into the folder of a SavedModel."""
        file = model / FILE
        file.parent.mkdir(exist_ok=True)
        file.write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @property
    def streaming_signatures(self) -> frozenset[str]:
        """Signatures that people do not ask one by one."""
        return frozenset([self.streaming.prefill, self.streaming.step]) if self.streaming else frozenset()

    @classmethod
    def read(cls, model: pathlib.Path) -> "ModelDescription":
        """Reads the file from the folder of a SavedModel.

        Raises:
            SeqlineError: there is none, or it is not of this form.
        """
        try:
            return cls.model_validate_json((model / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = error.errors()[0]["msg"] if isinstance(error, pydantic.ValidationError) else str(error)
            raise SeqlineError(
                f"A model that Seqline has exported describes itself in {FILE}. Received: {model}, whose description "
                f"cannot be read ({reason}). Export it again: seqline run."
            ) from error
