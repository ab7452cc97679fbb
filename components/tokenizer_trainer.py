"""TokenizerTrainer: TFX has no component that learns a tokenizer; Transform's vocabularies cut words at spaces only."""

import dataclasses
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import tensorflow as tf
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types.artifact_utils import decode_split_names, get_split_uri
from tfx.types.standard_artifacts import Examples

from components.artifacts import PushedOtherModel, Vocabulary
from components.features import features_of
from components.gazetteers import read_gazetteers
from components.paths import local_copy, local_output
from components.unknown_share import check_unknown, measure_unknown, unknown_findings
from models.features import Feature, learned_features
from models.left_files import VOCABULARIES_FOLDER
from models.progress import tell
from models.tokenizers.cut_words import learn_words
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.vocabularies import Vocabularies, counts_of, learn_vocabulary, split_units

_COUNTS_FILE = "unit_counts.jsonl"


class CountUnits(beam.DoFn):
    """Turns a batch of serialized tf.Examples into ((split, feature, unit), count).

    Of a feature whose categories or words are learned each value is a unit; one of which nothing is learned has none.
    """

    def __init__(self, split: str, features: Sequence[Feature], settings: TokenizerSettings) -> None:
        self._split = split
        self._features = tuple(feature for feature in features if feature.facts.learned)
        self._settings = settings

    def process(self, batch: Sequence[bytes]) -> Iterator[tuple[tuple[str, str, str], int]]:
        """Counts one batch in memory, so that Beam moves one pair per distinct unit, not one per occurrence."""
        spec = {
            feature.name: tf.io.RaggedFeature(tf.string) if feature.facts.many else tf.io.FixedLenFeature([], tf.string)
            for feature in self._features
        }
        parsed = tf.io.parse_example(tf.constant(batch), spec)
        for feature in self._features:
            values = parsed[feature.name].flat_values if feature.facts.many else parsed[feature.name]  # (N,) string
            pieces = feature.facts.learned == "pieces"
            units = split_units(values, self._settings).flat_values if pieces else values
            for unit, count in Counter(units.numpy().tolist()).items():
                yield (self._split, feature.name, unit.decode()), count


def count_units(
    pipeline: beam.Pipeline,
    examples: Mapping[str, str],
    features: Sequence[Feature],
    settings: TokenizerSettings,
    directory: str,
) -> dict[str, dict[str, dict[str, int]]]:
    """Counts the units of every feature in every split.

    Args:
        pipeline: not yet run.
        examples: of each split, the folder of its TFRecord files.
        features: the task's.
        settings: the tokenizer section.
        directory: where the counts lie while they pass from Beam to here.

    Returns:
        Of each split, per feature of which something is learned, each unit with its count; for label features each
        label.
    """
    # A batch lies in memory with all that its examples hold.
    most = min(feature.facts.batch_size for feature in features)
    path = os.path.join(directory, _COUNTS_FILE)
    with pipeline:
        counted = [
            pipeline
            | f"Read[{split}]" >> beam.io.ReadFromTFRecord(os.path.join(folder, "*"))
            | f"Batch[{split}]" >> beam.BatchElements(min_batch_size=64, max_batch_size=most)
            | f"Count[{split}]" >> beam.ParDo(CountUnits(split, features, settings))
            for split, folder in examples.items()
        ]
        (
            counted
            | "Splits" >> beam.Flatten()
            | "Sum" >> beam.CombinePerKey(sum)
            | "ToLine" >> beam.Map(json.dumps)
            | "Write" >> beam.io.WriteToText(path, num_shards=1, shard_name_template="")
        )
    learned = [feature.name for feature in features if feature.facts.learned]
    counts: dict[str, dict[str, dict[str, int]]] = {split: {name: {} for name in learned} for split in examples}
    with fileio.open(path) as stream:
        for line in stream:
            (split, feature, unit), count = json.loads(line)
            counts[split][feature][unit] = count
    fileio.remove(path)
    return counts


def learn_vocabularies(
    counts: dict[str, dict[str, int]],
    features: Sequence[Feature],
    settings: TokenizerSettings,
    known: list[str] | None = None,
) -> Vocabularies:
    """Learns one vocabulary per text feature, or one for all of them, and sorts the values of each label feature.

    Of a feature that is cut into words already, its words and their characters; their pieces only where there are known
    ones.

    Args:
        counts: of the units of each feature in the train split.
        features: the task's.
        settings: the tokenizer section.
        known: pieces that are taken over; None: they are learned.
    """
    texts = learned_features(features, "pieces")
    categories = {name: sorted(counts[name]) for name in learned_features(features, "categories")}
    if texts and settings.shared:
        total: dict[str, int] = defaultdict(int)
        for name in texts:
            for unit, count in counts[name].items():
                total[unit] += count
        counts = dict.fromkeys(texts, dict(total))
        pieces = dict.fromkeys(texts, learn_vocabulary(dict(total), settings))
    else:
        pieces = {name: known or learn_vocabulary(counts[name], settings) for name in texts}
    counted = {name: counts_of(learned, counts[name]) for name, learned in pieces.items()}
    learned = {name: learn_words(counts[name], settings) for name in learned_features(features, "words")}
    words, characters = ({name: pair[place] for name, pair in learned.items()} for place in (0, 1))
    parts = dict.fromkeys(words, known) if known else {}
    return Vocabularies(settings, pieces, categories, counted, words, characters, parts=parts)


@component(use_beam=True)
def TokenizerTrainer(  # noqa: N802
    examples: InputArtifact[Examples],
    vocabulary: OutputArtifact[Vocabulary],
    features: Parameter[str],
    settings_json: Parameter[str],
    gazetteers: Parameter[str],
    start: InputArtifact[PushedOtherModel] = None,
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Learns the pieces of every text feature and the values of every label feature from the train split.

    The other splits are counted too, to say how much of them the vocabularies do not know.

    Args:
        examples: raw examples.
        vocabulary: what `Vocabularies.load` reads.
        features: the task's, from `features_json`.
        settings_json: `TokenizerSettings` as JSON.
        gazetteers: lists of names, from `gazetteers_json`.
        start: what another run has left, whose pieces are taken over; none: pieces are learned.
        beam_pipeline: given by TFX.

    Raises:
        DataError: more tokens of a split are unknown than `max_unknown_fraction`, or a list of names cannot be read.
    """
    settings = TokenizerSettings.model_validate_json(settings_json)
    learned = features_of(features)
    folders = {split: get_split_uri([examples], split) for split in decode_split_names(examples.split_names)}
    counts = count_units(beam_pipeline, folders, learned, settings, vocabulary.uri)
    vocabularies = learn_vocabularies(counts["train"], learned, settings, _pieces_of(start))
    vocabularies = dataclasses.replace(vocabularies, gazetteers=read_gazetteers(gazetteers, settings))
    shares = measure_unknown(counts, vocabularies)
    check_unknown(shares, vocabularies)
    with local_output(vocabulary.uri) as folder:
        vocabularies.save(str(folder))
    _report(vocabularies, vocabulary)
    unknown_findings(shares, vocabularies, counts["train"]).keep(vocabulary)


def _pieces_of(start: PushedOtherModel | None) -> list[str] | None:
    if start is None:
        return None
    with local_copy(start.uri) as folder:
        [pieces] = Vocabularies.load(str(folder / VOCABULARIES_FOLDER)).pieces.values()
        return pieces


def _report(vocabularies: Vocabularies, vocabulary: Any) -> None:
    sizes = {f"{name}_pieces": len(pieces) for name, pieces in vocabularies.pieces.items()}
    sizes |= {f"{name}_names": len(names) for name, names in vocabularies.gazetteers.items()}
    sizes |= {f"{name}_words": len(words) for name, words in vocabularies.words.items()}
    for name, values in vocabularies.categories.items():
        if any(values):  # "" stands for no value
            sizes[f"{name.removesuffix('s')}s"] = sum(map(bool, values))
    for name, size in sizes.items():
        vocabulary.set_int_custom_property(name, size)
    learned = ", ".join(f"{name.replace('_', ' ')} {size}" for name, size in sizes.items())
    tell(f"vocabulary learned: {learned or 'none needed'}", 1, 1, sizes, stage="TokenizerTrainer")
