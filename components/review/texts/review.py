"""From an exported language model and held-out texts to samples that are coloured by how probable each piece is."""

import itertools
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

# Registers the TF Text operations that a model may hold.
import tensorflow_text  # noqa: F401

from components.requests import row_of
from components.review.result import Pieces, ReviewResult, Sample
from components.review.settings import TextReviewSettings
from components.serving_validator.answers import read_examples
from models.description import ModelDescription

_BYTE = re.compile(r"<0x([0-7][0-9A-F])>")
_SPACE_MARK, _JOINER = "\u2581", "##"


def review(
    model: Path,
    examples: Path,
    settings: TextReviewSettings,
    judge: Path | None,
    on_progress: Callable[[int, int], None],
) -> ReviewResult:
    """Has texts written at several temperatures; arguments as of `components.review.catalogue.MakeReview`.

    1. Reads held-out texts, one for each temperature.
    2. Has texts written, all of a temperature at once.
    3. Asks for the probability of each piece, of both.
    """
    described = ModelDescription.read(model)
    groups = [f"temperature {temperature:g}" for temperature in settings.temperatures]
    # The training may hold all memory of the GPU, and the server will generate on the processor too.
    with tf.device("/CPU:0"):
        signatures = tf.saved_model.load(str(model)).signatures
        samples = []
        for group, temperature, text in itertools.zip_longest(
            groups, settings.temperatures, _held_out(examples, groups)
        ):
            if group is None:
                break
            written = _written(signatures["generate"], described, settings, temperature)
            shown = [text[: settings.characters]] if text else []
            pieces = _scored(signatures["score"], shown + [prompt + more for prompt, more, _ in written])
            samples += [_real(group, each) for each in pieces[: len(shown)]]
            for number, (each, asked) in enumerate(zip(pieces[len(shown) :], written, strict=True)):
                samples.append(_sample(group, number, each, asked, temperature, settings.seed + number))
            on_progress(len({sample.group for sample in samples}) * len(written), len(groups) * len(written))
    return ReviewResult(
        review="texts",
        model=described.name,
        judge=None,
        metrics=_of_validation(described.metrics),
        shortfalls=[],
        notes=[],
        facts={},
        shares={group: {} for group in groups},
        samples=samples,
    )


def _of_validation(metrics: dict[str, float]) -> dict[str, float]:
    """What the training measured on the held-out texts, read on from the beginning, in the epoch that was kept."""
    return {f"validation_{name}": metrics[f"val_{name}"] for name in ("loss", "perplexity") if f"val_{name}" in metrics}


def _held_out(examples: Path, groups: Sequence[str]) -> list[str]:
    rows = [row_of(example) for example in read_examples(examples, len(groups))]
    return [row["text"].decode("utf-8", "replace") for row in rows]


def _written(
    generate: Any, described: ModelDescription, settings: TextReviewSettings, temperature: float
) -> list[tuple[str, str, str]]:
    """Prompt, continuation and reason of its end, of each sample of a temperature."""
    prompts = [prompt for prompt in settings.prompts for _ in range(settings.per_temperature)]
    asked = {setting.name: setting.default for setting in described.request_settings}
    asked |= {"temperature": temperature, "max_length": settings.max_length}
    # Numbers of the description are all floats.
    types = {"int32": np.int32, "float32": np.float32, "string": object}
    dtypes = {setting.name: types[setting.dtype] for setting in described.request_settings}
    inputs = {name: tf.constant(np.full(len(prompts), value, dtypes[name])) for name, value in asked.items()}
    inputs["seed"] = tf.range(settings.seed, settings.seed + len(prompts))
    answer = generate(prompt=tf.constant(prompts), **inputs)
    texts, reasons = ([value.decode() for value in answer[name].numpy()] for name in ("text", "reason"))
    return list(zip(prompts, texts, reasons, strict=True))


def _scored(score: Any, texts: list[str]) -> list[Pieces]:
    """Each text in its pieces, with their probabilities."""
    answer = score(text=tf.constant(texts))
    pieces, log_probs, counts = (answer[name].numpy() for name in ("pieces", "token_log_probs", "num_units"))
    return [
        Pieces(
            text="Text, coloured by how improbable each piece is",
            pieces=[_as_read(piece.decode()) for piece in row[:count]],
            probabilities=[round(float(value), 4) for value in np.exp(values[:count])],
        )
        for row, values, count in zip(pieces, log_probs, counts, strict=True)
    ]


def _as_read(piece: str) -> str:
    """A piece of a vocabulary as it stands in a text."""
    if byte := _BYTE.fullmatch(piece):
        return chr(int(byte[1], 16))
    bare = piece.removeprefix(_JOINER) if len(piece) > len(_JOINER) else piece
    return bare.replace(_SPACE_MARK, " ")


def _real(group: str, pieces: Pieces) -> Sample:
    return _of_pieces("Held-out text", group, pieces, held_out=True)


def _sample(
    group: str, number: int, pieces: Pieces, written: tuple[str, str, str], temperature: float, seed: int
) -> Sample:
    prompt, _, reason = written
    asked = {"prompt": prompt, "reason": reason}
    return _of_pieces(
        f"Sample {number + 1}", group, pieces, asked=asked, facts={"seed": seed, "temperature": temperature}
    )


def _of_pieces(
    title: str,
    group: str,
    pieces: Pieces,
    held_out: bool = False,
    asked: dict[str, str] | None = None,
    facts: dict[str, int | float] | None = None,
) -> Sample:
    # Rounded to nothing is still not impossible.
    bits = [-math.log2(max(probability, 1e-4)) for probability in pieces.probabilities]
    return Sample(
        title=title,
        group=group,
        held_out=held_out,
        asked=asked or {},
        expected="",
        answer=None,
        certainty=None,
        facts={**(facts or {}), "bits_per_unit": sum(bits) / len(bits)} if bits else facts or {},
        media=[pieces],
    )
