"""Sound is generated sample by sample: features, loss, metrics and signatures.

B: batch, N: samples, F: frames, M: mel bins.
"""

import math
from typing import Any

import keras
import tensorflow as tf

from models.audio import SILENCE_ID, log_mel, mu_law_decode, mu_law_encode
from models.decoding.sampling import PIECE, sample_piece, uniform_noise
from models.losses import SmoothedCrossEntropy
from models.run_settings import RunSettings
from models.tokenizers.vocabularies import Vocabularies
from models.xla import is_xla_available

SEQUENCE_FEATURES = ("audio_ids",)
SCALAR_FEATURES = ("label_id", "speaker_id")
CONDITIONS = ("label", "speaker")
# A minute at 16 kHz.
_MOST_SAMPLES = 2**20


def preprocess(inputs: dict[str, Any], vocabularies: Vocabularies) -> dict[str, Any]:
    """Quantizes `audio`, float (B, N), and looks up `label` and `speaker`, string (B, 1).

    Returns:
        `audio_ids` sparse int64 (B, N), mu-law levels; `label_id` and `speaker_id` int64 (B,).
    """
    audio = inputs["audio"] if isinstance(inputs["audio"], tf.SparseTensor) else _all_of(inputs["audio"])
    levels = tf.cast(mu_law_encode(audio.values), tf.int64)
    ids = {f"{name}_id": vocabularies.label_ids(_first(inputs[name]), name) for name in CONDITIONS}
    return {"audio_ids": tf.SparseTensor(audio.indices, levels, audio.dense_shape), **ids}


def _first(values: Any) -> tf.Tensor:
    """The one string of each row, (B, 1), dense or sparse, to (B,)."""
    return (tf.sparse.to_dense(values, "") if isinstance(values, tf.SparseTensor) else values)[:, 0]


def _all_of(dense: tf.Tensor) -> tf.SparseTensor:
    # Not tf.sparse.from_dense, which would leave out every sample of zero.
    shape = tf.shape(dense, tf.int64)
    return tf.SparseTensor(tf.where(tf.ones(shape, tf.bool)), tf.reshape(dense, [-1]), shape)


def training_examples(features: tf.data.Dataset, settings: RunSettings) -> tf.data.Dataset:
    """Cuts clips into chunks of `training.chunk_length` samples, each with its receptive field before it.

    Returns:
        dataset of inputs (`audio_ids` int32 (T,), the samples behind the one before each; `label_id` and `speaker_id`
        int32 (); with local features `frames` float32 (F, M)), right levels int32 (T,), and weights float32 (T,): 0 for
        what only gives context.
    """
    return features.flat_map(lambda clip: _chunks(clip, settings))


def _chunks(clip: dict[str, tf.Tensor], settings: RunSettings) -> tf.data.Dataset:
    levels = clip["audio_ids"]
    step = settings.model.frame_step if settings.model.local_features != "none" else 1
    shifted = tf.concat([[SILENCE_ID], levels[:-1]], axis=0)
    frames = _frames(mu_law_decode(levels)[tf.newaxis], settings)
    starts = tf.range(0, tf.size(levels), settings.training.chunk_length)

    def chunk(start: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        end = tf.minimum(start + settings.training.chunk_length, tf.size(levels))
        # A frame is whole or not there at all.
        begin = tf.maximum(start - settings.model.receptive_field + 1, 0) // step * step
        inputs = {"audio_ids": shifted[begin:end], **{f"{name}_id": clip[f"{name}_id"] for name in CONDITIONS}}
        if frames is not None:
            inputs["frames"] = frames[0, begin // step : (end + step - 1) // step]
        weights = tf.cast(tf.range(begin, end) >= start, tf.float32)
        return inputs, levels[begin:end], weights

    return tf.data.Dataset.from_tensor_slices(starts).map(chunk)


def _frames(audio: tf.Tensor, settings: RunSettings) -> tf.Tensor | None:
    model = settings.model
    if model.local_features == "none":
        return None
    return log_mel(audio, settings.audio.sample_rate, model.num_mel_bins, model.frame_step)


def sample_requests(
    features: list[dict[str, tf.Tensor]], vocabularies: Vocabularies, settings: RunSettings
) -> dict[str, list[Any]]:
    """Inputs of `serving_default` from transformed examples: their labels, and short clips of several lengths.

    At a temperature of 0, where no draw can fall on either side of a rounding error.
    """
    ids = {name: [int(example[f"{name}_id"]) for example in features] for name in settings.model.condition_on}
    values = {name: [vocabularies.categories[name][max(0, one)] for one in found] for name, found in ids.items()}
    count = len(features)
    return values | {
        "num_samples": [40 + 10 * index for index in range(count)],
        "temperature": [0.0] * count,
        "seed": list(range(count)),
    }


def bits_per_sample(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Cross-entropy in bits: levels int (B, T) and logits float (B, T, 256) to float (B, T)."""
    return keras.ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True) / math.log(2)


class BitsPerSample(keras.metrics.Mean):
    """Mean of `bits_per_sample` over all samples with their weights, however they came in batches."""

    def __init__(self) -> None:
        super().__init__(name="bits_per_sample")

    def update_state(
        self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor, sample_weight: keras.KerasTensor | None = None
    ) -> None:
        """Adds a batch; arguments as for `bits_per_sample`, weights float (B, T)."""
        # Flat, because Keras takes the mean of each row first, and then a row's padding counts in its weight.
        weights = None if sample_weight is None else keras.ops.reshape(sample_weight, (-1,))
        super().update_state(keras.ops.reshape(bits_per_sample(y_true, y_pred), (-1,)), weights)


def compile_arguments(settings: RunSettings) -> dict[str, Any]:
    """Loss and metrics for `keras.Model.compile`."""
    return {
        "loss": SmoothedCrossEntropy(settings.training.label_smoothing),
        "weighted_metrics": [BitsPerSample()],
    }


class Signatures(tf.Module):
    """A label in, sound out.

    Args:
        model: `models.architectures.wavenet.WaveNet`.
        vocabularies: with the values of label and speaker.
        settings: of the run.
    """

    def __init__(self, model: keras.Model, vocabularies: Vocabularies, settings: RunSettings):
        super().__init__(name="signatures")
        self.model = model
        self.vocabularies = vocabularies
        self.settings = settings
        self.conditions = tuple(settings.model.condition_on)

    def request_defaults(self) -> dict[str, float]:
        """Values for inputs of the signatures that no example fills: the settings of a request."""
        return {"num_samples": 200, "temperature": 0.0, "seed": 1}

    def endpoints(self) -> dict[str, tuple[Any, list[tf.TensorSpec]]]:
        """Signature name to its function and the specification of its inputs."""

        def spec(name: str, dtype: tf.DType = tf.string) -> tf.TensorSpec:
            return tf.TensorSpec([None], dtype, name=name)

        conditions = [spec(name) for name in self.conditions]
        num_samples, temperature, seed = (
            spec("num_samples", tf.int32),
            spec("temperature", tf.float32),
            spec("seed", tf.int32),
        )
        audio = tf.TensorSpec([None, None], tf.float32, name="audio")
        found: dict[str, tuple[Any, list[tf.TensorSpec]]] = {
            "score": (self.score, [audio, num_samples, *conditions]),
            "examples": (self.examples, [spec("examples")]),
        }
        if self.settings.model.local_features == "none":
            found["serving_default"] = (self.predict, [num_samples, temperature, seed, *conditions])
        else:
            # The sound to speak again; a model of frames alone cannot begin without them.
            found["serving_default"] = (self.copy, [audio, num_samples, temperature, seed, *conditions])
        return found

    def predict(
        self, num_samples: tf.Tensor, temperature: tf.Tensor, seed: tf.Tensor, *conditions: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Generates clips.

        Args:
            num_samples: int (B,), moved into 1 to 2**20.
            temperature: float (B,); 1 draws as the model believes, less plays safe, 0 takes the most probable level.
            seed: int (B,); the same request gives the same clip, whatever else is asked beside it.
            conditions: string (B,) for each feature that the model is conditioned on; "" leaves the choice to the seed.

        Returns:
            `audio` float32 (B, longest N) in [-1, 1], 0 behind a clip's own end, `sample_rate` int32 (B,), and the
            conditions, string (B,).
        """
        return self._generate(num_samples, temperature, seed, conditions, None)

    def copy(
        self,
        audio: tf.Tensor,
        num_samples: tf.Tensor,
        temperature: tf.Tensor,
        seed: tf.Tensor,
        *conditions: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Speaks the spectrogram of `audio`, float (B, N) of which `num_samples` (B,) are real; else as `predict`."""
        real = tf.sequence_mask(num_samples, tf.shape(audio)[1], tf.float32)
        frames = _frames(mu_law_decode(mu_law_encode(audio * real)), self.settings)
        return self._generate(num_samples, temperature, seed, conditions, frames)

    def score(self, audio: tf.Tensor, num_samples: tf.Tensor, *conditions: tf.Tensor) -> dict[str, tf.Tensor]:
        """How probable recordings are.

        Args:
            audio: float (B, N) in [-1, 1].
            num_samples: int (B,), how many of each row are real.
            conditions: as for `predict`.

        Returns:
            `log_prob` float32 (B,), natural logarithm, `bits_per_sample` float32 (B,), `num_samples` int32 (B,).
        """
        ids = self._ids(conditions)

        # Row by row: the logits of a second of sound take 16 MB.
        def of_row(row: tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]) -> tf.Tensor:
            sound, length, ids = row
            levels = mu_law_encode(sound[:length])[tf.newaxis]
            inputs = {"audio_ids": tf.pad(levels[:, :-1], [[0, 0], [1, 0]], constant_values=SILENCE_ID)}
            inputs |= {name: value[tf.newaxis] for name, value in ids.items()}
            frames = _frames(mu_law_decode(levels), self.settings)
            if frames is not None:
                inputs["frames"] = frames
            losses = keras.ops.sparse_categorical_crossentropy(levels, self.model(inputs), from_logits=True)
            return -tf.reduce_sum(losses)

        log_prob = tf.map_fn(of_row, (audio, num_samples, ids), fn_output_signature=tf.float32)
        bits = -log_prob / (math.log(2) * tf.cast(tf.maximum(num_samples, 1), tf.float32))
        return {"log_prob": log_prob, "bits_per_sample": bits, "num_samples": tf.cast(num_samples, tf.int32)}

    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized raw tf.Example string (B,) to what `score` returns."""
        spec: dict[str, Any] = {name: tf.io.FixedLenFeature([], tf.string, "") for name in self.conditions}
        parsed = tf.io.parse_example(examples, spec | {"audio": tf.io.RaggedFeature(tf.float32)})
        audio = parsed["audio"]
        lengths = tf.cast(audio.row_lengths(), tf.int32)
        return self.score(audio.to_tensor(), lengths, *(parsed[name] for name in self.conditions))

    def _chosen(self, conditions: tuple[tf.Tensor, ...], seed: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Puts values in place of those that were left open; the same seed gives the same ones."""
        chosen = []
        for name, values in zip(self.conditions, conditions, strict=True):
            known = self.vocabularies.categories[name]
            if "" not in known:
                values = tf.where(values == "", tf.gather(tf.constant(known), seed % len(known)), values)
            chosen.append(values)
        return tuple(chosen)

    def _ids(self, conditions: tuple[tf.Tensor, ...]) -> dict[str, tf.Tensor]:
        ids = {}
        for name, values in zip(self.conditions, conditions, strict=True):
            known = self.vocabularies.categories[name]
            found = tf.cast(self.vocabularies.label_ids(values, name), tf.int32)
            message = f"{name} must be one of: {', '.join(known)}. Received another; see `x` for the places of it"
            with tf.control_dependencies([tf.debugging.assert_non_negative(found, message)]):
                ids[f"{name}_id"] = tf.identity(found)
        return ids

    def _generate(
        self,
        num_samples: tf.Tensor,
        temperature: tf.Tensor,
        seed: tf.Tensor,
        conditions: tuple[tf.Tensor, ...],
        frames: tf.Tensor | None,
    ) -> dict[str, tf.Tensor]:
        rows = tf.shape(num_samples)[0]
        conditions = self._chosen(conditions, seed)
        ids = self._ids(conditions)
        # XLA compiles anew for every number of rows: rounded up to powers of two there are few.
        missing = _next_power_of_two(rows) - rows
        padded = {name: tf.pad(value, [[0, missing]]) for name, value in ids.items()}
        temperature, seed = tf.pad(temperature, [[0, missing]]), tf.pad(seed, [[0, missing]])
        lengths = tf.clip_by_value(num_samples, 1, _MOST_SAMPLES)
        longest = tf.reduce_max(tf.concat([lengths, [1]], axis=0))
        if frames is not None:
            frames = tf.pad(frames, [[0, missing], [0, 0], [0, 0]])
        levels = self._draw(longest, temperature, seed, padded, frames)[:rows, :longest]
        real = tf.sequence_mask(lengths, longest, tf.float32)
        rate = tf.fill([rows], self.settings.audio.sample_rate)
        named = dict(zip(self.conditions, conditions, strict=True))
        return {"audio": mu_law_decode(levels) * real, "sample_rate": rate, **named}

    def _draw(
        self,
        longest: tf.Tensor,
        temperature: tf.Tensor,
        seed: tf.Tensor,
        ids: dict[str, tf.Tensor],
        frames: tf.Tensor | None,
    ) -> tf.Tensor:
        """Levels int32 (B, at least `longest`), piece by piece."""
        rows, num_pieces = tf.shape(seed)[0], -(-longest // PIECE)
        conditions = self.model.conditions_of(ids, frames, rows, num_pieces * PIECE)  # (1 or N, B, L * 2D)

        def draw(piece: Any) -> tf.Tensor:
            def body(index: tf.Tensor, queues: tf.Tensor, last: tf.Tensor, pieces: tf.TensorArray) -> Any:
                start = index * PIECE
                of_piece = conditions if frames is None else conditions[start : start + PIECE]
                noise = uniform_noise(seed, index)
                queues, last, drawn = piece(queues, start, last, noise, temperature, of_piece)
                return index + 1, queues, last, pieces.write(index, drawn)

            first = tf.fill([rows], SILENCE_ID)
            empty = tf.TensorArray(tf.int32, num_pieces, element_shape=[PIECE, None])
            _, _, _, pieces = tf.while_loop(
                lambda index, *_: index < num_pieces, body, (0, self.model.empty_queues(rows), first, empty)
            )
            return tf.transpose(pieces.concat())

        # Compiled it is five times as fast on a processor; asked once, because the question takes its time.
        return tf.cond(is_xla_available(), lambda: draw(self._compiled_piece), lambda: draw(self._piece))

    @tf.function(jit_compile=True)
    def _compiled_piece(self, *arguments: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        return self._piece(*arguments)

    def _piece(
        self,
        queues: tf.Tensor,
        start: tf.Tensor,
        last: tf.Tensor,
        noise: tf.Tensor,
        temperature: tf.Tensor,
        conditions: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        weights = self.model.step_weights()
        steady = self.settings.model.local_features == "none"

        def step(queues: tf.Tensor, time: tf.Tensor, last: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return self.model.step(weights, queues, time, last, conditions[0 if steady else time - start])

        return sample_piece(step, queues, start, last, noise, temperature)


def _next_power_of_two(count: tf.Tensor) -> tf.Tensor:
    exponent = tf.math.ceil(tf.math.log(tf.cast(tf.maximum(count, 1), tf.float32)) / math.log(2) - 1e-3)
    return tf.cast(tf.pow(2.0, exponent), tf.int32)
