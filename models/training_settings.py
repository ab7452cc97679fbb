"""Settings of the training section."""

from typing import Literal

import pydantic

from models.settings import Settings, a_path, only_for, only_with

_BEGUN = only_with(init_from=True, optimizer=("adam", "adamw"))


class TrainingSettings(Settings):
    """How the weights are found."""

    init_from: str = pydantic.Field("", json_schema_extra=only_for("pretrained") | a_path())
    """Run of task masked_language_modeling whose encoder and pieces the model begins with: its id, as seqline runs
    shows it, where it has the same output_dir, or the folder that its training has left,
    <output_dir>/artifacts/Trainer/model_run/<number>. Sizes, and how texts are cut, must be as there; a task for which
    tokenizer.unit cannot be set needs a run of unit wordpiece. Empty: all begins at random."""
    freeze: Literal["none", "embedding", "encoder"] = pydantic.Field(
        "none", json_schema_extra=only_with(init_from=True)
    )
    """What stays as it was there: nothing, the vectors of the pieces, or with them the whole encoder."""
    layer_decay: float = pydantic.Field(1.0, gt=0, le=1, json_schema_extra=_BEGUN)
    """Learning rate of each layer for that of the layer above (Howard and Ruder, 2018; Clark et al., 2020); the head
    has the whole one, the vectors of the pieces have the lowest. 1: all have the same."""
    unfreeze_steps: int = pydantic.Field(0, ge=0, json_schema_extra=_BEGUN)
    """Steps from when a layer begins to learn to when the next one below does, the head first (gradual unfreezing,
    Howard and Ruder, 2018). 0: all begin at once."""
    batch_size: int = pydantic.Field(64, ge=1)
    """Sequences in a step, over all devices together."""
    batch_tokens: int = pydantic.Field(0, ge=0)
    """Positions (tokens, frames) in a step at most, padding among them, in place of batch_size: short sequences come in
    greater numbers than long ones, each with the longer one of its sides; at least one. 0: batch_size counts."""
    gradient_accumulation_steps: int = pydantic.Field(1, ge=1, json_schema_extra=only_with(optimizer=("adam", "adamw")))
    """Steps whose gradients, by their mean, change the weights once: as a batch so many times as large, in the
    memory of one. Schedules and all other settings count steps, clip_norm bounds the mean."""
    epochs: int = pydantic.Field(10, ge=1)
    """Passes over the train split at most."""
    max_steps: int | None = pydantic.Field(None, ge=1)
    """Steps at most, where the epochs have more; the last epoch is then cut short. Empty: all that the epochs have."""
    optimizer: Literal["adam", "adamw", "lazy_adam", "adagrad"] = "adam"
    """adam: Kingma and Ba (2015); adamw: with decoupled weight decay (Loshchilov and Hutter, 2019); adagrad: Duchi et
    al. (2011); lazy_adam: Adam that leaves rows of a table without a gradient as they are. The last two compute only
    the rows of a table that a step has met: faster where few are, as with vectors of words."""
    weight_decay: float = pydantic.Field(0.01, ge=0, json_schema_extra=only_with(optimizer="adamw"))
    """Share of each weight, times the learning rate, by which it shrinks in a step."""
    learning_rate: float = pydantic.Field(1e-3, gt=0)
    """Step size after the warm-up."""
    schedule: Literal["constant", "linear", "cosine", "inverse_sqrt", "halving"] = "constant"
    """Course of the learning rate after the warm-up; linear and cosine reach zero at the end of the last epoch; halving
    is constant, then halved again and again (Wu et al., 2016)."""
    decay_start_step: int = pydantic.Field(10000, ge=0, json_schema_extra=only_with(schedule="halving"))
    """Step at which the learning rate is halved for the first time."""
    decay_steps: int = pydantic.Field(1000, ge=1, json_schema_extra=only_with(schedule="halving"))
    """Steps from one halving to the next."""
    warmup_steps: int = pydantic.Field(0, ge=0)
    """Steps in which the learning rate rises from zero."""
    clip_norm: float | None = pydantic.Field(1.0, gt=0)
    """Gradients are scaled down where their global norm exceeds this (Pascanu et al., 2013); empty: never."""
    on_divergence: Literal["stop", "skip_step", "restore_last"] = "stop"
    """What happens where a loss or a gradient is no finite number, or a loss 10,000 times that of the first step. Such
    a step never changes the weights. stop: the run fails; skip_step: the step is left out; restore_last: the training
    goes back to the last saved state, and on with the batches that come next."""
    max_divergences: int = pydantic.Field(
        10, ge=1, json_schema_extra=only_with(on_divergence=("skip_step", "restore_last"))
    )
    """How often that may happen before the run fails all the same."""
    label_smoothing: float = pydantic.Field(0.0, ge=0, lt=1)
    """Probability mass taken from the right class and spread over all (Szegedy et al., 2016)."""
    early_stopping_patience: int = pydantic.Field(3, ge=0)
    """Epochs without a better validation loss (for sequence_labeling: entity F1) that end the training; 0: never. The
    best weights are exported."""
    average_last: int = pydantic.Field(0, ge=0)
    """Export the mean of the weights at the ends of so many epochs, the last ones of the training (Vaswani et al.,
    2017, section 6.1), in place of the best ones. A saved state holds all of them. 0: the best ones."""
    checkpoint_steps: int = pydantic.Field(500, ge=1)
    """Steps between saved states; a killed run resumes from the last one. The end of an epoch is always saved."""
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    """Arithmetic of the layers. mixed_bfloat16 computes in bfloat16 and keeps weights in float32."""
    length_buckets: int = pydantic.Field(8, ge=1)
    """Texts of similar length train together; so many lengths, evenly spaced over those seen in the train split."""
    shuffle_megabytes: float = pydantic.Field(256.0, gt=0)
    """Memory for the examples among which the next one of an epoch is drawn. Where the train split is larger, the order
    is random within that reach; the split itself lies on the disk."""
    sequence_length: int = pydantic.Field(0, ge=0, json_schema_extra=only_for("stream"))
    """Tokens of a window of truncated back-propagation through time (Williams and Peng, 1990): the texts of a split, in
    their order, are one stream, which batch_size rows read side by side; each batch goes on where the one before ended,
    with its states, and gradients reach back to the beginning of the window. Needs data.ordered. 0: each text is
    an example by itself, tokenizer.max_sequence_length tokens of it at most."""
    reset_states: Literal["epoch", "document"] = pydantic.Field(
        "epoch", json_schema_extra=only_for("stream") | only_with(sequence_length=True)
    )
    """When states begin anew: with each epoch alone, or also with each document (a file of data.format text, else an
    example), which then begins a window."""
    chunk_length: int = pydantic.Field(8192, ge=1, json_schema_extra=only_for("chunks"))
    """Samples of a recording that are predicted together; longer clips are cut. Each chunk also has the model's
    receptive field before it, so a chunk should be longer than that."""
