"""Small SavedModels with the signatures that each task exports."""

from pathlib import Path

import tensorflow as tf

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


def save_tagger(folder: Path) -> Path:
    """sequence_labeling: a token is tagged NUM where it is all digits."""

    @tf.function(input_signature=[_column("text")])
    def tag(text):
        tokens = _words(text)
        is_number = tf.strings.regex_full_match(tokens, "[0-9]+")
        tags = tf.where(tokens == "", "", tf.where(is_number, "NUM", "O"))
        return {"tokens": tokens, "tags": tags, "scores": tf.where(is_number, 0.75, 0.5)}

    return save(folder, serving_default=tag)


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
    """language_modeling: the text tells the settings that arrived."""

    @tf.function(input_signature=[_column("prompt")])
    def predict(prompt):
        return {"text": prompt + " and so on"}

    @tf.function(
        input_signature=[
            _column("prompt"),
            _column("temperature", tf.float32),
            _column("top_k", tf.int32),
            _column("top_p", tf.float32),
            _column("max_length", tf.int32),
            _column("seed", tf.int32),
        ]
    )
    def generate(prompt, temperature, top_k, top_p, max_length, seed):
        settings = [tf.strings.as_string(each) for each in (top_k, max_length, seed)]
        return {"text": tf.strings.join([prompt, *settings], separator=" "), "score": -temperature * top_p}

    @tf.function(input_signature=[_column("text")])
    def score(text):
        units = tf.strings.length(text)
        return {"log_prob": -tf.math.log(2.0) * tf.cast(units, tf.float32), "num_units": units}

    return save(folder, serving_default=predict, generate=generate, score=score)


def save_masked_language_model(folder: Path) -> Path:
    """masked_language_modeling: every mask is a cat, or else a dog."""

    @tf.function(input_signature=[_column("text")])
    def predict(text):
        masks = tf.strings.split(text, "[MASK]").row_lengths() - 1
        real = tf.sequence_mask(masks)[:, :, tf.newaxis]  # (B, M, 1)
        filled = tf.strings.regex_replace(text, r"\[MASK\]", "cat")
        return {
            "text": filled,
            "candidates": tf.where(real, tf.constant(["cat", "dog"]), ""),
            "scores": tf.where(real, tf.constant([0.75, 0.25]), 0.0),
        }

    @tf.function(input_signature=[_column("text")])
    def embed(text):
        length = tf.cast(tf.strings.length(text), tf.float32)
        return {"vector": tf.stack([length, -length], axis=1)}

    return save(folder, serving_default=predict, embed=embed)


def save_word_embedding(folder: Path) -> Path:
    """word_embedding: neighbours are numbered copies."""

    def similarities(found):
        return tf.where(found == "", 0.0, 1.0 / tf.cast(1 + tf.range(tf.shape(found)[1]), tf.float32)[tf.newaxis])

    @tf.function(input_signature=[_column("word")])
    def embed(word):
        length = tf.cast(tf.strings.length(word), tf.float32)
        return {"vector": tf.stack([length, -length], axis=1)}

    @tf.function(input_signature=[_column("word"), _column("count", tf.int32)])
    def neighbors(word, count):
        found = _numbered(word, count)
        return {"neighbors": found, "similarities": similarities(found)}

    @tf.function(input_signature=[*map(_column, "abc"), _column("count", tf.int32)])
    def analogy(a, b, c, count):
        found = _numbered(tf.strings.join([a, b, c], "-"), count)
        return {"neighbors": found, "similarities": similarities(found)}

    return save(folder, embed=embed, neighbors=neighbors, analogy=analogy)


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
