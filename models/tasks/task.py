"""What a task is, without TensorFlow: its name, its raw features, what it needs, and where its code stands."""

import dataclasses
import importlib
from typing import TYPE_CHECKING

from models.features import Feature, learned_features
from models.request_settings import RequestSetting

if TYPE_CHECKING:
    from models.tasks.code import TaskCode


@dataclasses.dataclass(frozen=True)
class Judging:
    """How answers are judged.

    Attributes:
        label_key: feature of the raw example that holds the right answer.
        prediction_key: output of the signature `examples` that is compared with it.
        metrics: keys of the table of metrics.
        per_class: metrics that are computed once for each class, as `f1/<label>`.
        length_of: feature whose length makes the slices by length; "" for none.
    """

    label_key: str
    prediction_key: str
    metrics: tuple[str, ...]
    per_class: tuple[str, ...] = ()
    length_of: str = ""


@dataclasses.dataclass(frozen=True)
class WordInput:
    """An input of a signature that takes a single word, which no feature is.

    Attributes:
        name: of the input.
        feature: text of the task whose words tests of a model ask about.
        place: of that word in the text, from 0; "" stands for it where the text is shorter.
    """

    name: str
    feature: str
    place: int


@dataclasses.dataclass(frozen=True)
class Task:
    """A sequence problem.

    Attributes:
        name: value of `task` in the configuration.
        module: dotted name of the module whose `CODE` is the class of its code.
        features: raw features, inputs first.
        roles: what an architecture must play, as in `models.architectures.roles`.
        judging: how its answers are judged.
        uses: what else of the configuration it has a use for, as `only_for` names it.
        request_settings: what a client may decide for each request.
        review: key of the table of reviews, which show samples to people; "" for none.
        word_inputs: inputs of its signatures that are neither a feature nor a setting of the request.
        units: values of `tokenizer.unit` that it works with; empty for all.
    """

    name: str
    module: str
    features: tuple[Feature, ...]
    roles: tuple[str, ...]
    judging: Judging
    uses: frozenset[str] = frozenset()
    request_settings: tuple[RequestSetting, ...] = ()
    review: str = ""
    word_inputs: tuple[WordInput, ...] = ()
    units: tuple[str, ...] = ()

    @property
    def all_uses(self) -> frozenset[str]:
        """Everything that `only_for` may name and that this task has a use for.

        That is `uses`, `roles`, kinds of its features ("audio", "label"), what is learned of them ("pieces", for which
        words count too, "words", "categories"), "several_texts" where one vocabulary could serve more than one,
        "lengths" where answers are judged by length, "review" and the review's name where it has one.
        """
        uses = {*self.uses, *self.roles, self.review}
        if self.review:
            uses.add("review")
        for feature in self.features:
            uses |= {feature.kind, feature.facts.learned}
        if "words" in uses:
            uses.add("pieces")
        if len(learned_features(self.features, "pieces")) > 1:
            uses.add("several_texts")
        if self.judging.length_of:
            uses.add("lengths")
        return frozenset(uses - {""})

    def code(self) -> "TaskCode":
        """Imports the implementing module (and with it TensorFlow)."""
        return importlib.import_module(self.module).CODE(self)
