"""What a task does, as a class with defaults: its methods stand in the order in which data pass through them.

B: batch.
"""

import abc
import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import tensorflow as tf

from models.features import learned_features
from models.input_pipeline import bucketed
from models.layers.heads.token_embedding import TokenEmbedding
from models.registry import ARCHITECTURES
from models.run_settings import RunSettings
from models.tasks.signatures import Signatures
from models.tasks.task import Task
from models.tokenizers.vocabularies import Vocabularies

# Inputs, labels and weights of one example, or of a batch, as Keras takes them.
Example = tuple[Any, Any, Any]


@dataclasses.dataclass(frozen=True)
class Transformed:
    """A feature of the transformed examples.

    Attributes:
        sequence: whether it has any number of values, (T,); else one, ().
        dtype: of its values, as they are stored: int64 or float32.
    """

    sequence: bool
    dtype: tf.DType = tf.int64


class TaskCode(abc.ABC):
    """The code of a task.

    Args:
        task: its facts.

    Attributes:
        best_by: figure of a validation that says which epoch was the best.
        greater_is_better: whether the greatest is, and not the least.
    """

    best_by: ClassVar[str] = "val_loss"
    greater_is_better: ClassVar[bool] = False

    def __init__(self, task: Task):
        self.task = task

    def for_run(self, settings: RunSettings, vocabularies: Vocabularies) -> "TaskCode":
        """The code that knows of a run what its `each_epoch` draws by; by default the same."""
        return self

    @property
    @abc.abstractmethod
    def transformed(self) -> Mapping[str, Transformed]:
        """The features that `preprocess` makes."""

    @abc.abstractmethod
    def preprocess(self, inputs: dict[str, Any], vocabularies: Vocabularies) -> dict[str, Any]:
        """Turns raw features, strings (B, 1) and sounds float (B, N), dense or sparse, into `transformed`."""

    def training_examples(self, features: tf.data.Dataset, settings: RunSettings) -> tf.data.Dataset:
        """Transformed examples to what is trained on; by default one of each, by `training_example`."""
        return features.map(
            lambda example: self.training_example(example, settings), num_parallel_calls=tf.data.AUTOTUNE
        )

    def training_example(self, features: dict[str, tf.Tensor], settings: RunSettings) -> Example:
        """One transformed example to model inputs, labels and weights, without a batch dimension."""
        raise NotImplementedError

    def in_order(self, settings: RunSettings) -> bool:
        """Whether training reads the kept examples in their order, and not in another one in each epoch.

        With `data.ordered` they come in the order of the files. Batches that go on where the last ones ended go through
        one device alone.
        """
        return False

    def cuts_texts(self, settings: RunSettings) -> bool:
        """Whether what is longer than `tokenizer.max_sequence_length` is cut there; not where texts are one stream."""
        return True

    def keep(self, examples: tf.data.Dataset, settings: RunSettings, folder: str) -> tf.data.Dataset:
        """Lays what is trained on onto the disk, and reads it from there in the order of an epoch.

        Args:
            examples: of `training_examples`.
            settings: of the run.
            folder: where they lie; not there yet.
        """
        # Not `cache(file)`, whose index of all tensors grows in memory: 1.4 KB for each example, however small.
        examples.save(folder)
        return tf.data.Dataset.load(folder)

    def each_epoch(self, example: Example, seed: tf.Tensor) -> Example:
        """What changes an example anew in each epoch, such as masks that are drawn.

        Args:
            example: of `training_examples`.
            seed: int64 (2,), another one for each example of each epoch; for stateless random operations.

        Returns:
            by default the example itself.
        """
        return example

    def batches(
        self, examples: tf.data.Dataset, batch_size: int, boundaries: list[int], batch_tokens: int = 0
    ) -> tf.data.Dataset:
        """Groups examples: by default those of similar length, padded with 0 to the longest of them.

        Args:
            examples: shuffled, or not, perhaps without end.
            batch_size: rows of a batch.
            boundaries: the longest length of each bucket, ascending.
            batch_tokens: positions of a batch, padding among them, in place of `batch_size`; 0: that counts.

        Returns:
            dataset of (inputs, labels, weights), each with a batch dimension.
        """
        return bucketed(examples, batch_size, boundaries, batch_tokens)

    @abc.abstractmethod
    def build(self, settings: RunSettings, vocabularies: Vocabularies) -> keras.Model:
        """Builds the model: what the architecture plays, with the embedding and the head of the task around it."""

    def play(self, role: str, settings: RunSettings, **facts: Any) -> Any:
        """What the configured architecture plays; `facts` is what the role needs to know besides the settings."""
        return ARCHITECTURES[settings.model.architecture].play(role, settings.model, **facts)

    def bodies(self, model: keras.Model) -> dict[str, keras.layers.Layer]:
        """The parts of the model that the architecture plays, by role: what other runs may begin from."""
        return {role: model.get_layer(role) for role in self.task.roles}

    def token_embeddings(self, model: keras.Model) -> dict[str, TokenEmbedding]:
        """The embedding of each text feature's tokens, of those that have one: what vectors of words may go into.

        By default it is found by its name, `token_embedding` for the only text and `<feature>_embedding` for one of
        several.
        """
        texts = learned_features(self.task.features, "pieces")
        names = {text: f"{text}_embedding" if len(texts) > 1 else "token_embedding" for text in texts}
        layers = {layer.name: layer for layer in model.layers if isinstance(layer, TokenEmbedding)}
        return {text: layers[name] for text, name in names.items() if name in layers}

    @abc.abstractmethod
    def compile_arguments(self, settings: RunSettings) -> dict[str, Any]:
        """Loss and metrics for `keras.Model.compile`."""

    @abc.abstractmethod
    def signatures(self, model: keras.Model, vocabularies: Vocabularies, settings: RunSettings) -> Signatures:
        """What the exported model answers."""

    def leave(self, model: keras.Model, vocabularies: Vocabularies, folder: pathlib.Path) -> list[pathlib.Path]:
        """Writes what other programs may want of a trained model into the artifact `model_run`; by default nothing.

        Returns:
            the files.
        """
        return []
