"""What an exported generator of sound answers.

B: batch, N: samples, F: frames, M: mel bins.
"""

import math
from typing import Any

import keras
import tensorflow as tf

from models.audio import SILENCE_ID, mu_law_decode, mu_law_encode
from models.decoding.pieces import Pieces
from models.description import PaddedAxis
from models.request_settings import RequestSetting
from models.run_settings import RunSettings
from models.tasks.inputs import at_least_one_position
from models.tasks.signatures import Endpoints, Signatures, spec
from models.tasks.sound_inputs import frames_of, shifted_right
from models.tokenizers.vocabularies import Vocabularies


class AudioGenerationSignatures(Signatures):
    """Conditions in, sound out; the model is a `SoundDecoder`."""

    def __init__(
        self,
        model: keras.Model,
        vocabularies: Vocabularies,
        settings: RunSettings,
        request_settings: tuple[RequestSetting, ...] = (),
    ):
        super().__init__(model, vocabularies, settings, request_settings)
        self.conditions = tuple(settings.model.condition_on)
        self.pieces = Pieces(model.next_in_piece, model.enter_piece, model.leave_piece)

    def endpoints(self) -> Endpoints:
        """Generation, scores of recordings, and of recordings in serialized examples."""
        conditions = [spec(name) for name in self.conditions]
        audio = tf.TensorSpec([None, None], tf.float32, name="audio")
        asked = [*self.request_specs(), *conditions]
        # The sound to speak again; a model of frames alone cannot begin without them.
        revoices = self.settings.model.local_features != "none"
        return {
            "serving_default": (self.revoice, [audio, *asked]) if revoices else (self.predict, asked),
            "score": (self.score, [audio, spec("num_samples", tf.int32), *conditions]),
            "examples": (self.examples, [spec("examples")]),
        }

    def padded_axes(self) -> dict[str, list[PaddedAxis]]:
        """The samples of a sound."""
        return {"serving_default": [self.told_by_setting("num_samples", "audio")]}

    def predict(
        self, num_samples: tf.Tensor, temperature: tf.Tensor, seed: tf.Tensor, *conditions: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Generates sounds.

        Args:
            num_samples: int (B,), moved into its limits.
            temperature: float (B,); 1 draws as the model believes, less plays safe, 0 takes the most probable level.
            seed: int (B,); the same request gives the same sound, whatever else is asked beside it.
            conditions: string (B,) for each feature that the model is conditioned on; "" leaves the choice to the seed.

        Returns:
            `audio` float32 (B, longest N) in [-1, 1], 0 behind a sound's own end, `sample_rate` int32 (B,), and the
            conditions, string (B,).
        """
        return self._generate(self.within_limits(num_samples, temperature, seed), conditions, {})

    def revoice(
        self,
        audio: tf.Tensor,
        num_samples: tf.Tensor,
        temperature: tf.Tensor,
        seed: tf.Tensor,
        *conditions: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Speaks the spectrogram of `audio`, float (B, N) of which `num_samples` (B,) are real; else as `predict`."""
        real = tf.sequence_mask(num_samples, tf.shape(audio)[1], tf.float32)
        heard = at_least_one_position(mu_law_decode(mu_law_encode(audio * real)))
        frames = {"frames": frames_of(heard, self.settings)}
        return self._generate(self.within_limits(num_samples, temperature, seed), conditions, frames)

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
        num_samples = tf.clip_by_value(num_samples, 0, tf.shape(audio)[1])

        # Row by row: the logits of a second of sound take 16 MB.
        def of_row(row: tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]) -> tf.Tensor:
            sound, length, ids = row
            levels = at_least_one_position(mu_law_encode(sound[:length])[tf.newaxis])
            inputs = {"audio_ids": shifted_right(levels)} | {name: value[tf.newaxis] for name, value in ids.items()}
            frames = frames_of(mu_law_decode(levels), self.settings)
            if frames is not None:
                inputs["frames"] = frames
            losses = keras.ops.sparse_categorical_crossentropy(levels, self.model(inputs), from_logits=True)
            return -tf.reduce_sum(losses[:, :length])

        log_prob = tf.map_fn(of_row, (audio, num_samples, ids), fn_output_signature=tf.float32)
        bits = -log_prob / (math.log(2) * tf.cast(tf.maximum(num_samples, 1), tf.float32))
        return {"log_prob": log_prob, "bits_per_sample": bits, "num_samples": num_samples}

    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized raw tf.Example string (B,) to what `score` returns."""
        features: dict[str, Any] = {name: tf.io.FixedLenFeature([], tf.string, "") for name in self.conditions}
        parsed = tf.io.parse_example(examples, features | {"audio": tf.io.RaggedFeature(tf.float32)})
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
        asked: list[tf.Tensor],
        conditions: tuple[tf.Tensor, ...],
        frames: dict[str, tf.Tensor],
    ) -> dict[str, tf.Tensor]:
        num_samples, temperature, seed = asked
        rows = tf.shape(num_samples)[0]
        conditions = self._chosen(conditions, seed)
        longest = tf.reduce_max(tf.concat([num_samples, [1]], axis=0))
        steering = self.model.conditions_of(self._ids(conditions) | frames, rows)
        cache = self.model.start(rows, longest)
        levels = self.pieces.draw(tf.fill([rows], SILENCE_ID), cache, temperature, seed, longest, steering)
        real = tf.sequence_mask(num_samples, longest, tf.float32)
        rate = tf.fill([rows], self.settings.audio.sample_rate)
        named = dict(zip(self.conditions, conditions, strict=True))
        return {"audio": mu_law_decode(levels) * real, "sample_rate": rate, **named}
