"""Which signature of a served model answers a question."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from components.requests import DEFAULT_SIGNATURE, InputSpec, joined_inputs, length_inputs, signature_specs
from models.features import Feature, learned_features
from models.registry import TASKS
from pipeline.config.config import Config
from pipeline.errors import ConfigError
from serving.client import Client

NOTHING_ASKED = "predict takes what to ask: seqline predict TEXT..."


@dataclasses.dataclass(frozen=True)
class ServedSignature:
    """A signature, as the server describes it.

    Attributes:
        name: of the signature.
        inputs: input name to what it takes.
        outputs: names of what it gives.
    """

    name: str
    inputs: Mapping[str, InputSpec]
    outputs: frozenset[str]


def served_signatures(client: Client) -> list[ServedSignature]:
    """The signatures of the model, the default one first."""
    found = [
        ServedSignature(name, signature_specs(signature), frozenset(signature.outputs))
        for name, signature in client.metadata().items()
        # TensorFlow lists its initializer too.
        if signature.inputs
    ]
    return sorted(found, key=lambda signature: (signature.name != DEFAULT_SIGNATURE, signature.name))


def choose(
    signatures: Sequence[ServedSignature], config: Config, options: Mapping[str, Any], has_texts: bool
) -> ServedSignature:
    """The first signature that takes all of what is given and misses nothing.

    Args:
        signatures: in the order in which they are tried.
        config: of the model.
        options: input name to value.
        has_texts: whether something to ask about is given.

    Raises:
        ConfigError: there is none.
    """
    for name, value in options.items():
        if not any(name in signature.inputs for signature in signatures):
            rule = "is not conditioned on the" if name in _labels(config) else "has no signature that takes"
            raise ConfigError(f"the model {rule} {name}; leave --{name} {value} out")
    taking = [signature for signature in signatures if options.keys() <= signature.inputs.keys()]
    for signature in taking:
        if _is_filled(signature, config, options, has_texts):
            return signature
    if not has_texts and any(asked_features(signature, config, options) for signature in taking):
        raise ConfigError(NOTHING_ASKED)
    described = "; ".join(f"{each.name} takes {', '.join(sorted(each.inputs))}" for each in signatures)
    raise ConfigError(f"no signature of {config.name} takes just what was given. Its signatures: {described}")


def _is_filled(signature: ServedSignature, config: Config, options: Collection[str], has_texts: bool) -> bool:
    task = TASKS[config.task]
    known = {name for feature in task.features for name in (feature.name, feature.prompt)}
    known |= {setting.name for setting in task.request_settings}
    known |= {word.name for word in task.word_inputs if word.name in options}
    made = length_inputs(signature.inputs, task.features) | joined_inputs(signature.inputs, task.features)
    missing = signature.inputs.keys() - known - made.keys()
    return not missing and len(asked_features(signature, config, options)) == int(has_texts)


def _labels(config: Config) -> tuple[str, ...]:
    return learned_features(TASKS[config.task].features, "categories")


def asked_features(signature: ServedSignature, config: Config, given: Collection[str]) -> dict[str, Feature]:
    """The inputs that ask about a feature, its beginning or its values; those named, and labels, may stay open."""
    features = TASKS[config.task].features
    read = signature.inputs.keys() | joined_inputs(signature.inputs, features).values()
    return {
        name: feature
        for feature in features
        for name in (feature.name, feature.prompt)
        if name in read and name not in given and feature.facts.learned != "categories"
    }
