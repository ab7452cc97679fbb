"""What a client can ask a model of each task, in plain values."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from serving.client_answers import (
    Attention,
    Audio,
    Completion,
    FilledText,
    Similarity,
    SimilarWords,
    TaggedText,
    TextClass,
    TextScore,
    TransformedText,
    WordVectors,
)
from serving.client_tags import tagged_text, tagged_tokens
from serving.wire.rows import padded, real_length, to_inputs, to_rows, to_scores, to_text, to_texts

# Score of a place that the search left empty: part of what `generate` answers, so it stays as it is.
_NO_SCORE = -1e9
# Between the stop strings of a request.
_STOP_SEPARATOR = "\x1f"


class TaskClient(ABC):
    """Asks models by the signatures that each task exports.

    Every method takes many inputs, sends them as one request and answers in their order; without inputs it sends
    nothing. `timeout` is the time for the call in seconds, None for the client's own. Every method raises ServingError
    when the server refuses the request, or none answers.

    A server may merge requests, and then pads what it answers to the longest of them; the methods cut that off.
    """

    @abstractmethod
    def predict(
        self, inputs: Mapping[str, Any], signature_name: str = "", *, timeout: float | None = None
    ) -> dict[str, np.ndarray]:
        """Runs a signature."""

    # === text_classification ===

    def classify_texts(self, texts: Sequence[str], timeout: float | None = None) -> list[TextClass]:
        """The classes of texts."""
        rows = self._ask("label classes scores", {"text": texts}, timeout=timeout)
        return [TextClass(to_text(label), to_scores(classes, scores)) for label, classes, scores in rows]

    # === sequence_labeling ===

    def tag_texts(self, texts: Sequence[str], timeout: float | None = None) -> list[TaggedText]:
        """Texts, cut into tokens, with a tag for each and the spans that these mark."""
        names = "tokens tags scores starts ends"
        rows = self._ask(names, {"text": texts}, timeout=timeout)
        return [tagged_text(text, *row) for text, row in zip(texts, rows, strict=False)]

    def tag_tokens(self, texts: Sequence[Sequence[str]], timeout: float | None = None) -> list[TaggedText]:
        """The same for texts that are cut into tokens already, which must not be empty."""
        if not texts:
            return []
        outputs = self.predict({"tokens": padded(texts)}, "pretokenized", timeout=timeout)
        rows = to_rows(outputs, ["tokens", "tags", "scores"])
        return [tagged_tokens(*row) for row in rows]

    # === text_to_text ===

    def transform_texts(self, sources: Sequence[str], timeout: float | None = None) -> list[TransformedText]:
        """The best target of each source."""
        rows = self._ask("target score", {"source": sources}, timeout=timeout)
        return [TransformedText(to_text(target), float(score)) for target, score in rows]

    def generate_targets(
        self,
        sources: Sequence[str],
        beam_width: int,
        length_penalty: float,
        max_length: int,
        timeout: float | None = None,
    ) -> list[list[TransformedText]]:
        """All targets that the search kept for each source, best first.

        Args:
            sources: What to transform.
            beam_width: Targets kept at each step.
            length_penalty: Exponent of Wu et al. (2016), eq. 14; larger values prefer longer targets.
            max_length: Units of a target at most.
            timeout: Time for the call.
        """
        settings = {"beam_width": beam_width, "length_penalty": float(length_penalty), "max_length": max_length}
        rows = self._ask("target score", {"source": sources}, settings, "generate", timeout)
        return [_beams(*row) for row in rows]

    def attend(self, sources: Sequence[str], targets: Sequence[str], timeout: float | None = None) -> list[Attention]:
        """Where the model looks in each source while it writes the target given for it."""
        names = "source_pieces target_pieces weights"
        rows = self._ask(names, {"source": sources, "target": targets}, signature_name="attend", timeout=timeout)
        return [_attention(*row) for row in rows]

    # === language_modeling ===

    def complete(
        self,
        prompts: Sequence[str],
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        max_length: int = 200,
        seed: int = 0,
        stop: str | Sequence[str] = (),
        timeout: float | None = None,
    ) -> list[Completion]:
        """What follows each prompt; "" begins with nothing.

        Args:
            prompts: What to go on from.
            temperature: 1 draws as the model believes, less prefers what is probable, 0 takes the most probable.
            top_k: Draw among so many tokens, the most probable ones; 0 among all.
            top_p: Draw among the fewest tokens, the most probable ones, that have this probability; 1 among all.
            max_length: Tokens drawn at most.
            seed: Of the first prompt, each further one has the next; the same seed gives the same text.
            stop: Text or texts at which to stop, and which are cut off.
            timeout: Time for the call.
        """
        numbers = {"temperature": float(temperature), "top_k": top_k, "top_p": float(top_p), "max_length": max_length}
        inputs = to_inputs(
            {"prompt": prompts, "stop": [_STOP_SEPARATOR.join(stop_strings(stop))] * len(prompts)}, numbers
        )
        if not len(prompts):
            return []
        inputs["seed"] = np.arange(seed, seed + len(prompts), dtype=np.int32)
        outputs = self.predict(inputs, "generate", timeout=timeout)
        rows = to_rows(outputs, ["text", "score", "reason"])
        return [Completion(to_text(text), float(score), to_text(reason)) for text, score, reason in rows]

    def score_texts(self, texts: Sequence[str], timeout: float | None = None) -> list[TextScore]:
        """How probable each text is, token by token."""
        names = "log_prob num_units pieces token_log_probs"
        rows = self._ask(names, {"text": texts}, signature_name="score", timeout=timeout)
        return [
            TextScore(float(log_prob), int(count), to_texts(pieces[:count]), log_probs[:count].tolist())
            for log_prob, count, pieces, log_probs in rows
        ]

    # === masked_language_modeling ===

    def fill(self, texts: Sequence[str], timeout: float | None = None) -> list[FilledText]:
        """Texts with `[MASK]` in the place of each piece that is asked for, filled, and what else could stand there."""
        rows = self._ask("text candidates scores", {"text": texts}, timeout=timeout)
        return [_filled_text(*row) for row in rows]

    def embed_texts(self, texts: Sequence[str], timeout: float | None = None) -> list[np.ndarray]:
        """A vector of each text as a whole, float32 (H,) of length 1: a product of two is their cosine similarity."""
        return [vector for (vector,) in self._ask("vector", {"text": texts}, signature_name="embed", timeout=timeout)]

    # === word_embedding ===

    def embed(self, texts: Sequence[str], timeout: float | None = None) -> list[WordVectors]:
        """The words of each text, or each single word, with their vectors."""
        rows = self._ask("words known vectors", {"text": texts}, signature_name="embed", timeout=timeout)
        return [_word_vectors(*row) for row in rows]

    def neighbors(self, texts: Sequence[str], k: int = 10, timeout: float | None = None) -> list[SimilarWords]:
        """The k words most like each word, or like all words of a text together."""
        rows = self._ask("words score unknown", {"text": texts}, {"k": k}, "neighbors", timeout)
        return [_similar_words(*row) for row in rows]

    def analogy(
        self,
        a: Sequence[str],
        b: Sequence[str],
        c: Sequence[str],
        k: int = 10,
        multiplicative: bool = False,
        timeout: float | None = None,
    ) -> list[SimilarWords]:
        """What is to c as b is to a, best first.

        Args:
            a: First words, such as man.
            b: Second words, such as king.
            c: Third words, such as woman.
            k: Words of an answer.
            multiplicative: By 3CosMul (Levy and Goldberg, 2014) instead of 3CosAdd.
            timeout: Time for the call.
        """
        settings = {"k": k, "multiplicative": int(multiplicative)}
        rows = self._ask("words score unknown", {"a": a, "b": b, "c": c}, settings, "analogy", timeout)
        return [_similar_words(*row) for row in rows]

    def similarity(self, a: Sequence[str], b: Sequence[str], timeout: float | None = None) -> list[Similarity]:
        """How alike the words of each pair are."""
        rows = self._ask("score unknown", {"a": a, "b": b}, signature_name="similarity", timeout=timeout)
        return [Similarity(float(score), to_text(unknown)) for score, unknown in rows]

    # === audio_generation ===

    def generate_audio(
        self,
        num_samples: int,
        seeds: Sequence[int],
        temperature: float = 1.0,
        labels: Sequence[str] = (),
        speakers: Sequence[str] = (),
        timeout: float | None = None,
    ) -> list[Audio]:
        """A recording for each seed.

        Args:
            num_samples: Length of each recording.
            seeds: The same seed makes the same recording.
            temperature: 1 draws as the model believes, less prefers what is probable, 0 takes the most probable.
            labels: What each recording speaks or plays, "" for anything; none for a model that is not conditioned on
                labels.
            speakers: Who speaks each, the same way.
            timeout: Time for the call.
        """
        if not seeds:
            return []
        inputs: dict[str, Any] = {
            "num_samples": np.full(len(seeds), num_samples, np.int32),
            "temperature": np.full(len(seeds), temperature, np.float32),
            "seed": np.array(seeds, np.int32),
        }
        inputs |= {name: list(texts) for name, texts in (("label", labels), ("speaker", speakers)) if texts}
        outputs = self.predict(inputs, timeout=timeout)
        names = [name for name in ("label", "speaker") if name in outputs]
        return [
            Audio(samples[:num_samples], int(rate), {n: text.decode() for n, text in zip(names, texts, strict=True)})
            for samples, rate, *texts in to_rows(outputs, ["audio", "sample_rate", *names])
        ]

    def classify_audio(self, samples: np.ndarray, timeout: float | None = None) -> TextClass:
        """The class of one recording, float32 (N,) in [-1, 1] at the rate that the model learned from."""
        audio = np.asarray(samples, np.float32)[np.newaxis]
        outputs = self.predict({"audio": audio, "num_samples": np.array([len(samples)], np.int32)}, timeout=timeout)
        label, classes, scores = (outputs[name][0] for name in ("label", "classes", "scores"))
        named = {name.decode(): float(score) for name, score in zip(classes, scores, strict=True)}
        return TextClass(label.decode(), named)

    def _ask(
        self,
        outputs: str,
        texts: Mapping[str, Sequence[str]],
        settings: Mapping[str, int | float] | None = None,
        signature_name: str = "",
        timeout: float | None = None,
    ) -> Iterator[tuple[Any, ...]]:
        """Sends texts, with the same settings for each, and gives the named outputs row by row."""
        inputs = to_inputs(texts, settings or {})
        if not any(map(len, inputs.values())):
            return iter(())
        return to_rows(self.predict(inputs, signature_name, timeout=timeout), outputs.split())


def stop_strings(stop: str | Sequence[str]) -> Sequence[str]:
    """Texts at which to stop; a single one counts as one."""
    return [stop] if isinstance(stop, str) else stop


def _beams(targets: np.ndarray, scores: np.ndarray) -> list[TransformedText]:
    beams = zip(targets, scores.tolist(), strict=True)
    return [TransformedText(to_text(target), score) for target, score in beams if score > _NO_SCORE]


def _attention(source_pieces: np.ndarray, target_pieces: np.ndarray, weights: np.ndarray) -> Attention:
    columns, rows = real_length(source_pieces), real_length(target_pieces)
    return Attention(to_texts(source_pieces[:columns]), to_texts(target_pieces[:rows]), weights[:rows, :columns])


def _filled_text(text: bytes, candidates: np.ndarray, scores: np.ndarray) -> FilledText:
    holes = [to_scores(*hole) for hole in zip(candidates, scores, strict=True)]
    return FilledText(to_text(text), [hole for hole in holes if hole])


def _word_vectors(words: np.ndarray, known: np.ndarray, vectors: np.ndarray) -> WordVectors:
    length = real_length(words)
    return WordVectors(to_texts(words[:length]), [bool(one) for one in known[:length]], vectors[:length])


def _similar_words(words: np.ndarray, scores: np.ndarray, unknown: bytes) -> SimilarWords:
    found = words[: real_length(words)]
    return SimilarWords(dict(zip(to_texts(found), scores[: len(found)].tolist(), strict=True)), to_text(unknown))
