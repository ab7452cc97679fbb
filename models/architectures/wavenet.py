"""WaveNet (van den Oord et al., 2016), a decoder of sound: the next sample from the past ones.

B: batch, N: rows that are generated together, T: samples, L: layers, D: `hidden_dim`, K: `kernel_size`, Q: samples that
all queues hold together.
"""

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from models.architectures.settings.wavenet import WaveNetSettings
from models.audio import LEVELS
from models.decoding.next_token import NextToken
from models.layers.gated_conv import GatedConv


class WaveNet(keras.Model):
    """Maps past samples to the logits of the next ones: all at once (training), or one by one with queues.

    Args:
        settings: sizes.
        condition_sizes: number of values of each feature in `settings.condition_on`.
    """

    def __init__(self, settings: WaveNetSettings, condition_sizes: Mapping[str, int]):
        super().__init__(name="wavenet")
        # === Layers ===
        self.settings = settings
        dim, dilations = settings.hidden_dim, settings.dilations
        self.embedding = keras.layers.Embedding(LEVELS, dim, name="sample_embedding")
        self.first = keras.layers.Conv1D(dim, settings.kernel_size, padding="causal", name="first_convolution")
        self.gates = [
            GatedConv(dim, settings.kernel_size, dilation, name=f"gate_{index}")
            for index, dilation in enumerate(dilations)
        ]
        # Nothing stands above the last layer's residual connection.
        self.residuals = [keras.layers.Dense(dim, name=f"residual_{index}") for index in range(len(dilations) - 1)]
        self.skips = [keras.layers.Dense(settings.skip_dim, name=f"skip_{index}") for index in range(len(dilations))]
        self.hidden_output = keras.layers.Dense(settings.skip_dim, "relu", name="hidden_output")
        self.output_projection = keras.layers.Dense(LEVELS, dtype="float32", name="logits")
        # === Conditions ===
        self.condition_embeddings = {
            name: keras.layers.Embedding(condition_sizes[name], settings.condition_dim, name=f"{name}_embedding")
            for name in settings.condition_on
        }
        # One projection for all layers: V of eq. 3.
        all_layers = 2 * dim * len(dilations)
        if settings.condition_on:
            self.condition_projection = keras.layers.Dense(all_layers, use_bias=False, name="condition_projection")
        if settings.local_features != "none":
            self.upsampling = keras.layers.Conv1DTranspose(
                dim, settings.frame_step, strides=settings.frame_step, name="frame_upsampling"
            )
            self.frame_projection = keras.layers.Dense(all_layers, use_bias=False, name="frame_projection")

    def call(self, inputs: dict[str, keras.KerasTensor], training: bool = False) -> keras.KerasTensor:
        """Predicts every sample from those before it.

        Args:
            inputs: `audio_ids` int (B, T), the samples shifted right by one; `<feature>_id` int (B,) for each feature
                in `condition_on`; with local features `frames` float (B, F, M), F * frame_step >= T.
            training: without effect.

        Returns:
            logits, float32 (B, T, 256); position t sees `audio_ids` up to t, at most `receptive_field` of them.
        """
        conditions = self._conditions(inputs, ops.shape(inputs["audio_ids"])[1])
        hidden_states = self.first(self.embedding(inputs["audio_ids"]))
        skips = None
        for index, gate in enumerate(self.gates):
            gated = gate(hidden_states, conditions[index])
            added = self.skips[index](gated)
            skips = added if skips is None else skips + added
            if index < len(self.residuals):
                hidden_states = hidden_states + self.residuals[index](gated)
        return self.output_projection(self.hidden_output(ops.relu(skips)))

    def _conditions(self, inputs: Mapping[str, Any], length: Any) -> list[Any]:
        """What each layer adds before its gate: (B, 1 or T, 2D), or None."""
        total = None
        if self.settings.condition_on:
            total = self.global_condition(inputs)
        if self.settings.local_features != "none":
            local = self.frame_projection(self.upsampling(inputs["frames"])[:, :length])
            total = local if total is None else total + local
        return [None] * len(self.gates) if total is None else ops.split(total, len(self.gates), axis=-1)

    def global_condition(self, inputs: Mapping[str, Any]) -> Any:
        """What steers the whole clip: `<feature>_id` int (B,) each, to float (B, 1, L * 2D)."""
        vectors = [embed(inputs[f"{name}_id"]) for name, embed in self.condition_embeddings.items()]
        return ops.expand_dims(self.condition_projection(ops.concatenate(vectors, axis=-1)), 1)

    # === One sample at a time ===

    def step_weights(self) -> "StepWeights":
        """The weights in the form that `step` reads."""

        def tensor(variable: keras.Variable) -> tf.Tensor:
            return tf.convert_to_tensor(variable.value)

        kernels = tf.stack([tensor(gate.convolution.kernel) for gate in self.gates])  # (L, K, D, 2D)
        return StepWeights(
            embedding=tensor(self.embedding.embeddings),
            first=(tensor(self.first.kernel), tensor(self.first.bias)),
            past=kernels[:, :-1],
            present=tf.unstack(kernels[:, -1]),
            bias=tf.stack([tensor(gate.convolution.bias) for gate in self.gates]),
            residual=[(tensor(layer.kernel), tensor(layer.bias)) for layer in self.residuals],
            skip=[(tensor(layer.kernel), tensor(layer.bias)) for layer in self.skips],
        )

    def start(self, batch_size: Any, max_length: Any) -> dict[str, tf.Tensor]:
        """Makes the first cache: silence heard so far, as causal padding is.

        Args:
            batch_size: N.
            max_length: of no effect: the queues are as long as the model can look back.

        Returns:
            `queues` float (N, Q, D), what the convolutions saw so far; `time` int32 (N,), samples seen so far, the same
            for all rows.
        """
        places = _queue_places(self.settings)[-1]
        queues = tf.zeros([batch_size, places, self.settings.hidden_dim])
        return {"queues": queues, "time": tf.zeros([batch_size], tf.int32)}

    def conditions_of(self, inputs: Mapping[str, Any], batch_size: Any) -> dict[str, tf.Tensor]:
        """What steers the generation.

        Args:
            inputs: `<feature>_id` int (N,) for each feature in `condition_on`; with local features `frames`, float
                (N, F, M).
            batch_size: N.

        Returns:
            `steady` float32 (N, 1, L * 2D), the same for every sample; with frames also `frames` float32
            (N, F * `frame_step`, L * 2D), behind which only the former steers.
        """
        steady = tf.zeros([batch_size, 1, 2 * self.settings.hidden_dim * len(self.gates)])
        if self.settings.condition_on:
            steady = steady + tf.cast(self.global_condition(inputs), tf.float32)
        if self.settings.local_features == "none":
            return {"steady": steady}
        frames = self.frame_projection(self.upsampling(inputs["frames"]))
        return {"steady": steady, "frames": tf.cast(frames, tf.float32)}

    def step(
        self, audio_ids: tf.Tensor, cache: dict[str, tf.Tensor], conditions: Mapping[str, tf.Tensor]
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Predicts one sample from one more past sample.

        Args:
            audio_ids: the last samples, int (N,).
            cache: of the step before, or of `start`.
            conditions: of this very sample, float (N, 1, L * 2D) each.

        Returns:
            logits, float32 (N, 256), and the next cache.
        """
        logits, carry = self.next_in_piece(conditions)(audio_ids, self.enter_piece(cache))
        return logits, self.leave_piece(carry)

    # Within a piece no row changes its place, so the state may have the layout that is fast: time first, and one time
    # for all rows.

    def enter_piece(self, cache: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The cache to `queues` float (Q, N, D) and `time`, int32 scalar."""
        return {"queues": tf.transpose(cache["queues"], [1, 0, 2]), "time": cache["time"][0]}

    def leave_piece(self, carry: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """And back again."""
        queues = tf.transpose(carry["queues"], [1, 0, 2])
        return {"queues": queues, "time": tf.fill([tf.shape(queues)[0]], carry["time"])}

    def next_in_piece(self, conditions: Mapping[str, tf.Tensor]) -> NextToken:
        """One sample from one more past sample, in O(L) (Le Paine et al., 2016).

        All queues lie in one tensor, each a ring, so that one gather reads and one scatter writes them.

        Args:
            conditions: of `conditions_of`, the frames' part with as many samples as the piece.

        Returns:
            `NextToken` over the state of `enter_piece`.
        """
        settings, weights = self.settings, self.step_weights()
        taps = settings.kernel_size - 1
        dilations = tf.constant([1, *settings.dilations])
        starts = tf.constant(_queue_places(settings)[:-1])
        # The oldest place of a ring is the next to be written; the other taps follow at the layer's distance.
        ages = dilations[:, tf.newaxis] * tf.range(taps)[tf.newaxis]
        time_first = [tf.transpose(part, [1, 0, 2]) for part in conditions.values()]

        def next_sample(audio_ids: tf.Tensor, carry: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
            time, queues = carry["time"], carry["queues"]
            places = starts[:, tf.newaxis] + (time + ages) % (taps * dilations)[:, tf.newaxis]
            steering = tf.add_n([part[time % tf.shape(part)[0]] for part in time_first])
            seen, logits = self._one_sample(weights, tf.gather(queues, places), audio_ids, steering)
            return logits, {"queues": tf.tensor_scatter_nd_update(queues, places[:, :1], seen), "time": time + 1}

        return next_sample

    def _one_sample(
        self, weights: "StepWeights", past: tf.Tensor, audio_ids: tf.Tensor, conditions: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """All layers for one sample: past (1 + L, K - 1, N, D), conditions (N, L * 2D) to (1 + L, N, D), logits."""
        embedded = tf.gather(weights.embedding, audio_ids)
        kernel, bias = weights.first
        hidden = tf.einsum("kbd,kde->be", past[0], kernel[:-1]) + embedded @ kernel[-1] + bias
        seen, skips = [embedded], tf.zeros([])
        waiting = tf.einsum("lkbd,lkde->lbe", past[1:], weights.past) + weights.bias[:, tf.newaxis]
        layers = zip(tf.unstack(waiting), tf.split(conditions, len(self.gates), axis=-1), strict=True)
        for index, (before, condition) in enumerate(layers):
            seen.append(hidden)
            gated = self.gates[index].gate(before + hidden @ weights.present[index] + condition)
            skips = skips + gated @ weights.skip[index][0] + weights.skip[index][1]
            if index < len(weights.residual):
                hidden = hidden + gated @ weights.residual[index][0] + weights.residual[index][1]
        return tf.stack(seen), self.output_projection(self.hidden_output(tf.nn.relu(skips)))


@dataclasses.dataclass(frozen=True)
class StepWeights:
    """The weights as tensors.

    Attributes:
        embedding: (256, D).
        first: kernel (K, D, D) and bias of the first convolution.
        past: kernels of the gates for past samples, (L, K - 1, D, 2D).
        present: those for the present one, L of (D, 2D).
        bias: (L, 2D).
        residual: kernel and bias of each layer but the last.
        skip: kernel and bias of each layer.
    """

    embedding: tf.Tensor
    first: tuple[tf.Tensor, tf.Tensor]
    past: tf.Tensor
    present: list[tf.Tensor]
    bias: tf.Tensor
    residual: list[tuple[tf.Tensor, tf.Tensor]]
    skip: list[tuple[tf.Tensor, tf.Tensor]]


def sound_decoder(settings: WaveNetSettings, condition_sizes: Mapping[str, int]) -> WaveNet:
    """Plays the decoder of sound.

    Args:
        settings: sizes.
        condition_sizes: number of values of each feature in `settings.condition_on`.
    """
    model = WaveNet(settings, condition_sizes)
    example: dict[str, Any] = {f"{name}_id": tf.zeros([1], tf.int32) for name in settings.condition_on}
    if settings.local_features != "none":
        example["frames"] = tf.zeros([1, 1, settings.num_mel_bins])
    model({"audio_ids": tf.zeros([1, 1], tf.int32), **example})  # makes the weights
    return model


def _queue_places(settings: WaveNetSettings) -> list[int]:
    """Where the queue of each convolution begins, the first one's included, and how long they are together."""
    sizes = [(settings.kernel_size - 1) * dilation for dilation in (1, *settings.dilations)]
    return list(itertools.accumulate(sizes, initial=0))
