"""Sections that go together, and those that do not: one sentence each."""

from pathlib import Path

import pytest

from pipeline.config import config
from tests.pipeline.config.conftest import DATES, refusal

NAMES = """\
name: names
task: sequence_labeling
data: {path: names.conll}
model: {architecture: recurrent}
"""
DIGITS = """\
name: digits
task: audio_generation
data:
  path: digits.tar
  label_pattern: (?P<label>\\d)_
  eval_pattern: _9\\.wav$
audio: {sample_rate: 8000}
model:
  architecture: wavenet
  condition_on: [label]
"""


PLAYS = """\
name: plays
task: language_modeling
data:
  path: plays.txt
  format: text
  ordered: true
model:
  architecture: recurrent
training: {sequence_length: 50}
"""


def test_a_configuration_of_sound(file: Path) -> None:
    file.write_text(DIGITS, encoding="utf-8")
    loaded = config.load(file)
    assert loaded.run_settings().audio.sample_rate == 8000
    assert loaded.model.receptive_field == 2048


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            DATES + "audio: {sample_rate: 8000}\n",
            "audio is for the tasks audio_generation, audio_classification only; remove the section.",
        ),
        (
            DIGITS + "tokenizer: {unit: byte}\n",
            "tokenizer is for the tasks text_classification, text_to_text, language_modeling, "
            "masked_language_modeling, sequence_labeling, word_embedding only; remove the section.",
        ),
        (
            DIGITS + "training: {chunk_length: 2047}\n",
            "training.chunk_length must be at least the model's receptive field",
        ),
        (
            DIGITS.replace("[label]", "[label, speaker]"),
            "model.condition_on names speaker, so data.label_pattern must have a group of that name, (?P<speaker>...)",
        ),
        (
            DIGITS.replace("[label]", "[label, speakr]"),
            "model.condition_on must name label features of the task audio_generation: label, speaker. "
            "Received: speakr; did you mean speaker?",
        ),
        (DIGITS.replace("wavenet\n  condition_on: [label]", "recurrent"), "model.architecture must be one that solves"),
        (
            DATES.replace("to_text", "classification").replace("seq2seq", "gated_conv\n  noise_snr_db: 5"),
            "model.noise_snr_db is for the task audio_classification only; remove it. Received: task ",
        ),
        (
            PLAYS.replace("ordered: true", "ordered: false"),
            "training.sequence_length needs data.ordered: true: states go on from text to text",
        ),
        (
            PLAYS.replace("50}", "50, batch_tokens: 9}"),
            "training.batch_tokens must be 0 where a stream is read by rows that go on from batch to batch",
        ),
        (
            PLAYS.replace("recurrent", "transformer\n  context_length: 64"),
            "Received: 50, for a model that sees 64. Raise it, or lower model.context_length",
        ),
        (
            "name: films\ntask: text_classification\ndata: {path: films.tsv}\ntraining: {init_from: run}\n"
            "model: {architecture: recurrent, embeddings: {from: words.txt}}\n",
            "model.embeddings.from must be empty where the model begins with the encoder of a run",
        ),
        (
            DATES.replace("seq2seq", "seq2seq\n  share_embeddings: true"),
            "model.share_embeddings needs tokenizer.shared",
        ),
        (PLAYS + "texts: {temperatures: []}\n", "texts.temperatures must have at least 1 item"),
        (DATES + "texts: {seed: 1}\n", "texts is for the task language_modeling only; remove the section."),
        (
            NAMES + "training: {init_from: run}\nlabeling: {unknown_share: 0.1}\n",
            "labeling.unknown_share must be 0 where the pieces of words are read (training.init_from). Received: 0.1",
        ),
        (NAMES + "training: {label_smoothing: 0.1}\n", "training.label_smoothing must be 0 where labeling.crf is true"),
        (
            NAMES + "tokenizer: {unit: word}\n",
            "tokenizer.unit is for the tasks text_classification, text_to_text, language_modeling, "
            "masked_language_modeling, word_embedding",
        ),
        (
            NAMES + "labeling: {characters: none, character_dim: 9}\n",
            "labeling.character_dim goes with labeling.characters cnn or lstm only; remove it. Received: labeling.char",
        ),
        (DATES + "labeling: {crf: true}\n", "labeling is for the task sequence_labeling only; remove the section."),
        (DATES + "clips: {per_label: 1}\n", "clips is for the task audio_generation only; remove the section."),
        (DIGITS + "clips: {min_recognized: 0.5}\n", "clips.min_recognized needs clips.recognizer"),
        (
            DIGITS.replace("[label]", "[]") + "clips: {min_recognized: 0.5, recognizer: ears}\n",
            "clips.min_recognized needs a model that can be asked for a label: one with label in model.condition_on",
        ),
    ],
)
def test_sections_that_do_not_go_together(file: Path, text: str, problem: str) -> None:
    assert problem in refusal(file, text)
