"""Texts of more tokens than a model takes: they are counted before they are cut, and cut, left out or refused."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import tensorflow as tf

from models.errors import SeqlineError
from models.features import learned_features
from models.progress import tell
from models.run_settings import RunSettings
from models.tasks.task import Task
from models.tokenizers.tokenizer import Tokenizer
from models.tokenizers.vocabularies import Vocabularies

Action = Literal["cut", "skip", "fail"]


def num_tokens_key(feature: str) -> str:
    """Feature of a transformed example that holds how many tokens a text has before it is cut: int64 ()."""
    return f"{feature}_num_tokens"


def cut_key(feature: str) -> str:
    """Feature that training finds beside the tokens of a text: whether they lack the end of it, bool ()."""
    return f"{feature}_cut"


class CountingVocabularies:
    """Vocabularies whose tokenizers note how long each text is; all else is that of the vocabularies.

    Args:
        vocabularies: that cut.

    Attributes:
        num_tokens: text feature to int64 (B,), the most tokens where one tokenizer cuts several texts.
    """

    def __init__(self, vocabularies: Vocabularies):
        self._vocabularies = vocabularies
        self.num_tokens: dict[str, tf.Tensor] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vocabularies, name)

    def tokenizer(self, feature: str) -> "_CountingTokenizer":
        """The tokenizer of a text feature."""
        return _CountingTokenizer(self._vocabularies.tokenizer(feature), feature, self.num_tokens)


class _CountingTokenizer:
    def __init__(self, tokenizer: Tokenizer, feature: str, num_tokens: dict[str, tf.Tensor]):
        self._tokenizer, self._feature, self._num_tokens = tokenizer, feature, num_tokens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        return self._tokenizer.cut(self.tokenize_whole(texts))

    def tokenize_whole(self, texts: tf.Tensor) -> tf.RaggedTensor:
        whole = self._tokenizer.tokenize_whole(texts)
        if whole.shape.rank == 2:
            self.note(whole.row_lengths())
        return whole

    def note(self, lengths: tf.Tensor) -> None:
        lengths = tf.cast(lengths, tf.int64)
        self._num_tokens[self._feature] = tf.maximum(lengths, self._num_tokens.get(self._feature, lengths))


@dataclasses.dataclass(frozen=True)
class Limit:
    """How long a text of a feature may be.

    Attributes:
        feature: its name.
        tokens: that training reads; the end of a longer text is not there.
        answered: that an answer can have, for what a model answers; else None.
        action: what happens to a longer text.
    """

    feature: str
    tokens: int
    answered: int | None
    action: Action

    @property
    def most(self) -> int:
        """Tokens beyond which a text is too long."""
        return self.tokens if self.answered is None else min(self.tokens, self.answered)


def limits_of(task: Task, settings: RunSettings, source: Action = "cut", target: Action = "cut") -> list[Limit]:
    """The limits of the text features of a task.

    Args:
        task: the feature that its `judging` compares answers with is the target, the others are sources.
        settings: of the run.
        source: what happens to sources that are too long.
        target: what happens to targets that are too long.
    """
    limits = []
    for feature in (*learned_features(task.features, "pieces"), *learned_features(task.features, "words")):
        answers = feature == task.judging.label_key and feature != task.features[0].name
        answered = settings.decoding.max_length if answers and "decoding" in task.all_uses else None
        action = target if answers else source
        limits.append(Limit(feature, settings.tokenizer.max_sequence_length, answered, action))
    return limits


@dataclasses.dataclass(frozen=True)
class Count:
    """What was counted of a feature in a split.

    Attributes:
        limit: of the feature.
        split: its name.
        examples: of the split.
        too_long: texts longer than `limit.most`.
        cut: texts longer than `limit.tokens`.
        longest: tokens of the longest text.
    """

    limit: Limit
    split: str
    examples: int
    too_long: int
    cut: int
    longest: int

    @property
    def message(self) -> str:
        """What happens to the texts, and which setting decides it."""
        limit = self.limit
        settings = "tokenizer.max_sequence_length" + (" and decoding.max_length" if limit.answered else "")
        key = "data.too_long" if limit.answered is None else "data.too_long_target"
        share = f"{self.too_long} of {self.examples} texts of {limit.feature} in the {self.split} split"
        long = f"{share} are longer than {limit.most} tokens (the longest has {self.longest})"
        return f"{long}; {self._what_happens()}. See {settings}, and {key}: cut, skip or fail"

    def _what_happens(self) -> str:
        if self.limit.action == "skip":
            return "their examples are left out of training"
        happens = [f"{self.cut} are cut there"] if self.cut else []
        if self.cut and self.limit.answered is not None:
            happens[0] += ", and nothing is taught as their end"
        if self.limit.answered is not None and self.longest > self.limit.answered:
            happens.append(f"an answer ends after {self.limit.answered} tokens at the latest")
        return " and ".join(happens) or "nothing happens to them"


def count_too_long(files: list[str], split: str, limits: Iterable[Limit]) -> list[Count]:
    """Counts the texts of transformed examples that are too long; features that have none are left out.

    Args:
        files: TFRecord files, gzip.
        split: name of the split.
        limits: of the text features.

    Raises:
        SeqlineError: there are some, and the settings say that they are a mistake.
    """
    limits = list(limits)
    if not limits or not files:
        return []
    lengths = _lengths(files, [limit.feature for limit in limits])
    counts = []
    for limit in limits:
        examples = too_long = cut = longest = 0
        for batch in lengths.as_numpy_iterator():
            found = batch[num_tokens_key(limit.feature)]
            examples += len(found)
            too_long += int((found > limit.most).sum())
            cut += int((found > limit.tokens).sum())
            longest = max(longest, int(found.max()))
        if too_long:
            counts.append(Count(limit, split, examples, too_long, cut, longest))
    refuse(counts)
    for count in counts:
        tell(count.message, 0, 0, notable=True)
    return counts


def refuse(counts: Iterable[Count]) -> None:
    """Raises SeqlineError where texts are too long that the settings call a mistake."""
    for count in counts:
        if count.limit.action == "fail":
            raise SeqlineError(f"{count.message}. It says fail: shorten the texts, or raise the limit.")


def _lengths(files: list[str], features: list[str]) -> tf.data.Dataset:
    specs = {num_tokens_key(name): _LENGTH for name in features}
    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP")
    return records.batch(4096).map(lambda batch: tf.io.parse_example(batch, specs))


# What was transformed without a count is as long as it is.
_LENGTH = tf.io.FixedLenFeature([], tf.int64, default_value=0)


def length_specs(limits: Iterable[Limit]) -> dict[str, Any]:
    """What is to be parsed of an example besides the features of the task."""
    return {num_tokens_key(limit.feature): _LENGTH for limit in limits}


def without_too_long(features: tf.data.Dataset, limits: Iterable[Limit]) -> tf.data.Dataset:
    """Leaves out the examples that are to be skipped, and says of the others whether their texts are cut.

    Args:
        features: dataset of feature name to values, those of `length_specs` among them.
        limits: of the text features.

    Returns:
        the same with `cut_key` in place of each length.
    """
    limits = list(limits)
    skipped = [limit for limit in limits if limit.action == "skip"]

    def kept(example: Mapping[str, tf.Tensor]) -> tf.Tensor:
        return tf.reduce_all([example[num_tokens_key(limit.feature)] <= limit.most for limit in skipped])

    def said(example: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        rest = dict(example)
        for limit in limits:
            rest[cut_key(limit.feature)] = rest.pop(num_tokens_key(limit.feature)) > limit.tokens
        return rest

    return (features.filter(kept) if skipped else features).map(said) if limits else features
