"""Answers as a person reads them: by the names of a signature's outputs, whatever the task."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import ConfigError
from serving.wire.rows import real_length, to_scores, to_text, to_texts

_BEST_SCORES = 5
# Input or output name -> value of one row.
Values = Mapping[str, Any]


def render(asked: Values, answer: Values, out: Path) -> str:
    """Words the answer to one row.

    Args:
        asked: its inputs.
        answer: its outputs.
        out: file for what no terminal can show.

    Raises:
        ConfigError: the file cannot be written.
    """
    return _renderer(answer)(asked, answer, out)


def makes_file(outputs: Collection[str]) -> bool:
    """Whether an answer with these outputs goes into a file."""
    return _renderer(outputs) is _write_sound


def _scored(asked: Values, answer: Values, out: Path) -> str:
    scores = to_scores(answer["classes"], answer["scores"])
    best = sorted(scores.items(), key=lambda item: -item[1])[:_BEST_SCORES]
    return f"{to_text(answer['label'])}  ({', '.join(f'{name} {score:.3f}' for name, score in best)})"


def _write_sound(asked: Values, answer: Values, out: Path) -> str:
    from components.review.clips.wav import wav_bytes

    # A server that merged requests has padded it to the longest of them.
    samples, rate = answer["audio"][: int(asked["num_samples"])], int(answer["sample_rate"])
    try:
        out.write_bytes(wav_bytes(samples, rate))
    except OSError as error:
        raise ConfigError(f"{out} cannot be written: {error.strerror}; name another file with --out") from error
    said = "".join(f"{to_text(value)}, " for _, value in sorted(answer.items()) if isinstance(value, bytes))
    return f"Wrote {out}: {said}{len(samples) / rate:.2f} s at {rate} Hz"


def _columns(asked: Values, answer: Values, out: Path) -> str:
    length = real_length(answer["tokens"])
    rows = [to_texts(answer[name][:length]) for name in ("tokens", "tags")]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (" ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _continued(asked: Values, answer: Values, out: Path) -> str:
    return to_text(asked["prompt"]) + to_text(answer["text"])


def _alike(asked: Values, answer: Values, out: Path) -> str:
    words = to_texts(answer["words"][: real_length(answer["words"])])
    found = ", ".join(f"{word} {score:.3f}" for word, score in zip(words, answer["score"], strict=False))
    unknown = to_text(answer["unknown"])
    return "  ".join(filter(None, [found or "no answer", unknown and f"(unknown: {unknown})"]))


def _filled(asked: Values, answer: Values, out: Path) -> str:
    holes = [to_scores(*each) for each in zip(answer["candidates"], answer["scores"], strict=True)]
    found = (", ".join(f"{name} {score:.3f}" for name, score in [*hole.items()][:_BEST_SCORES]) for hole in holes)
    return "  ".join([to_text(answer["text"]), *(f"({each})" for each in found if each)])


def _first(output: str) -> Callable[[Values, Values, Path], str]:
    def render(asked: Values, answer: Values, out: Path) -> str:
        value = answer[output]
        # The best of several stands first.
        return to_text(value[0] if isinstance(value, np.ndarray) else value)

    return render


def _plain(asked: Values, answer: Values, out: Path) -> str:
    return "  ".join(f"{name} {_shown(value)}" for name, value in sorted(answer.items()))


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"[{', '.join(map(_shown, value))}]"
    return to_text(value) if isinstance(value, bytes) else f"{value:g}"


# The first line whose outputs an answer has words it.
RENDERERS: dict[tuple[str, ...], Callable[[Values, Values, Path], str]] = {
    ("label", "scores", "classes"): _scored,
    ("audio", "sample_rate"): _write_sound,
    ("tokens", "tags"): _columns,
    ("words", "score", "unknown"): _alike,
    ("target",): _first("target"),
    ("text", "reason"): _continued,
    ("text", "candidates", "scores"): _filled,
    ("text",): _first("text"),
}


def _renderer(outputs: Collection[str]) -> Callable[[Values, Values, Path], str]:
    return next((render for names, render in RENDERERS.items() if set(names) <= set(outputs)), _plain)
