"""Small SavedModels with the signatures that each task exports."""

import json
from pathlib import Path

import tensorflow as tf
import tensorflow_text as tf_text

from tests.serving.saved_models import save


def _column(name: str, dtype: tf.DType = tf.string) -> tf.TensorSpec:
    return tf.TensorSpec([None], dtype, name=name)


def _words(text: tf.Tensor) -> tf.Tensor:
    return tf.strings.split(text).to_tensor()  # (B, T), "" where padded


def _numbered(text: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """(B) texts to (B, K): text0, text1 ..., K the largest count of the batch; "" beyond a row's own count."""
    numbers = tf.range(tf.reduce_max(count))
    named = text[:, tf.newaxis] + tf.strings.as_string(numbers)[tf.newaxis]
    return tf.where(numbers[tf.newaxis] < count[:, tf.newaxis], named, "")


def save_text_to_text(folder: Path) -> Path:
    """text_to_text: beams are numbered copies; attention looks at the place of the same number."""

    @tf.function(
        input_signature=[
            _column("source"),
            _column("beam_width", tf.int32),
            _column("length_penalty", tf.float32),
            _column("max_length", tf.int32),
        ]
    )
    def generate(source, beam_width, length_penalty, max_length):
        target = _numbered(tf.strings.substr(source, tf.zeros_like(max_length), max_length), beam_width)
        score = -tf.cast(tf.range(tf.shape(target)[1]), tf.float32)[tf.newaxis] - length_penalty[:, tf.newaxis]
        return {"target": target, "score": tf.where(target == "", -1e9, score)}

    @tf.function(input_signature=[_column("source"), _column("target")])
    def attend(source, target):
        source_pieces, target_pieces = _words(source), _words(tf.strings.join([target, " [END]"]))
        weights = tf.eye(
            tf.shape(target_pieces)[1], tf.shape(source_pieces)[1], batch_shape=tf.shape(source)
        )  # (B, T, S)
        return {"weights": weights, "source_pieces": source_pieces, "target_pieces": target_pieces}

    @tf.function(input_signature=[_column("source")])
    def predict(source):
        return {"target": source + "0", "score": tf.zeros(tf.shape(source))}

    return save(folder, serving_default=predict, generate=generate, attend=attend)


def save_language_model(folder: Path) -> Path:
    """language_modeling: goes on with its settings in words; a word costs as many nats as it has letters."""

    settings = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "max_length": 200, "seed": 0, "stop": ""}
    dtypes = {float: tf.float32, int: tf.int32, str: tf.string}
    columns = [_column("prompt"), *(_column(name, dtypes[type(value)]) for name, value in settings.items())]

    @tf.function(input_signature=columns)
    def generate(prompt, temperature, top_k, top_p, max_length, seed, stop):
        numbers = [tf.strings.as_string(value, precision=1) for value in (temperature, top_p)]
        numbers += [tf.strings.as_string(value) for value in (top_k, max_length, seed)]
        text = tf.strings.join([prompt, *numbers, tf.strings.regex_replace(stop, "\x1f", "|")], " ")
        return {"text": text, "score": -temperature, "reason": tf.where(stop == "", "length", "stop")}

    @tf.function(input_signature=[_column("text")])
    def score(text):
        pieces = _words(text)
        log_probs = -tf.cast(tf.strings.length(pieces), tf.float32)
        units = tf.reduce_sum(tf.cast(pieces != "", tf.int32), axis=1)
        return {
            "log_prob": tf.reduce_sum(log_probs, axis=1),
            "num_units": units,
            "token_log_probs": log_probs,
            "pieces": pieces,
        }

    @tf.function(input_signature=columns)
    def prefill(*request):
        whole = generate(*request)["text"]
        return {"whole": whole, "going": whole != "", "num_drawn": tf.strings.length(whole) * 0}

    @tf.function(input_signature=[_column("whole"), _column("going", tf.bool), _column("num_drawn", tf.int32)])
    def step(whole, going, num_drawn):
        answer = {"text": whole, "score": tf.zeros(tf.shape(whole)), "reason": tf.fill(tf.shape(whole), "length")}
        return answer | {"going": going & False, "num_drawn": num_drawn + 1}

    save(folder, serving_default=score, generate=generate, score=score, prefill=prefill, step=step)
    described = {
        "streaming": {"prefill": "prefill", "step": "step", "state": ["whole", "going", "num_drawn"]},
        "request_settings": [{"name": name, "default": value} for name, value in settings.items()],
    }
    (folder / "assets.extra").mkdir(exist_ok=True)
    (folder / "assets.extra" / "seqline.json").write_text(json.dumps(described))
    return folder


def save_audio_generator(folder: Path) -> Path:
    """audio_generation: every sample is the seed's hundredth part; labels are seven, eight and an open one."""

    @tf.function(
        input_signature=[
            _column("label"),
            _column("num_samples", tf.int32),
            _column("temperature", tf.float32),
            _column("seed", tf.int32),
        ]
    )
    def generate(label, num_samples, temperature, seed):
        known = tf.reduce_any(label[:, tf.newaxis] == tf.constant(["seven", "eight", ""]), axis=1)
        message = "label must be one of: seven, eight. Received another; see `x` for the places of it"
        with tf.control_dependencies([tf.debugging.assert_non_negative(tf.cast(known, tf.int32) - 1, message)]):
            level = tf.cast(seed, tf.float32) / 100.0 * temperature
        audio = tf.tile(level[:, tf.newaxis], [1, tf.reduce_max(num_samples)])
        return {"audio": audio, "sample_rate": tf.fill(tf.shape(label), 8000), "label": label}

    return save(folder, serving_default=generate)


def save_audio_classifier(folder: Path) -> Path:
    """audio_classification: a recording is loud where one of its real samples is over a half."""

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32, "audio"), _column("num_samples", tf.int32)])
    def classify(audio, num_samples):
        real = tf.sequence_mask(num_samples, tf.shape(audio)[1], tf.float32)
        loud = tf.cast(tf.reduce_max(tf.abs(audio * real), axis=1) > 0.5, tf.int32)
        classes = tf.constant(["quiet", "loud"])
        return {
            "label": tf.gather(classes, loud),
            "scores": tf.where(tf.one_hot(loud, 2) > 0, 0.75, 0.25),
            "classes": tf.tile(classes[tf.newaxis], [tf.size(loud), 1]),
        }

    return save(folder, serving_default=classify)


def save_word_embedding(folder: Path) -> Path:
    """word_embedding: a word is its length, known if longer than a letter; neighbours are numbered copies."""

    def answer(word, k, score):
        known = tf.strings.length(word) > 1
        words = _numbered(word, tf.where(known, k, 0))
        scores = tf.where(words == "", 0.0, score[:, tf.newaxis])
        return {"words": words, "score": scores, "unknown": tf.where(known, "", word)}

    @tf.function(input_signature=[_column("text"), _column("k", tf.int32)])
    def neighbors(text, k):
        return answer(text, k, tf.fill(tf.shape(k), 0.5))

    names = [_column(name) for name in "abc"]

    @tf.function(input_signature=[*names, _column("k", tf.int32), _column("multiplicative", tf.int32)])
    def analogy(a, b, c, k, multiplicative):
        return answer(a + b + c, k, tf.cast(multiplicative, tf.float32) + 0.25)

    @tf.function(input_signature=names[:2])
    def similarity(a, b):
        return {"score": tf.cast(tf.strings.length(a + b), tf.float32), "unknown": tf.fill(tf.shape(a), "")}

    @tf.function(input_signature=[_column("text")])
    def embed(text):
        words = _words(text)
        lengths = tf.strings.length(words)
        vectors = tf.cast(lengths, tf.float32)[:, :, tf.newaxis]
        return {"words": words, "known": tf.cast(lengths > 1, tf.int32), "vectors": vectors}

    return save(
        folder, serving_default=neighbors, neighbors=neighbors, analogy=analogy, similarity=similarity, embed=embed
    )


def save_masked_language_model(folder: Path) -> Path:
    """masked_language_modeling: a hole is filled with x, or with y, another x, a blank; a vector has one length."""

    @tf.function(input_signature=[_column("text")])
    def fill(text):
        holes = tf.strings.split(text, "[MASK]").row_lengths() - 1
        real = tf.sequence_mask(holes, tf.maximum(tf.reduce_max(holes), 1))[:, :, tf.newaxis]
        return {
            "text": tf.strings.regex_replace(text, r"\[MASK\]", "x"),
            "candidates": tf.where(real, [["x", "y", "x", ""]], ""),
            "scores": tf.where(real, [[0.5, 0.25, 0.125, 0.0625]], 0.0),
        }

    @tf.function(input_signature=[_column("text")])
    def embed(text):
        return {"vector": tf.cast(tf.strings.length(text), tf.float32)[:, tf.newaxis] * [[0.5, 0.25]]}

    return save(folder, serving_default=fill, embed=embed)


def save_sequence_labeler(folder: Path) -> Path:
    """sequence_labeling: tokens stand between blanks; those with capitals are names, neighbours one name."""

    def tagged(tokens):
        capital = tf.strings.regex_full_match(tokens, r"\p{Lu}.*")
        before = tf.pad(capital[:, :-1], [[0, 0], [1, 0]])
        tags = tf.where(capital, tf.where(before, "I-name", "B-name"), "O")
        real = tokens != ""
        score = tf.where(capital, tf.where(before, 0.5, 0.75), 0.875)
        return {"tokens": tokens, "tags": tf.where(real, tags, ""), "scores": tf.where(real, score, 0.0)}

    @tf.function(input_signature=[_column("text")])
    def predict(text):
        tokens, starts, ends = tf_text.WhitespaceTokenizer().tokenize_with_offsets(text)
        return tagged(tokens.to_tensor()) | {"starts": starts.to_tensor(), "ends": ends.to_tensor()}

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.string, name="tokens")])
    def pretokenized(tokens):
        return tagged(tokens)

    return save(folder, serving_default=predict, pretokenized=pretokenized)
