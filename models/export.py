"""Exports a trained model as one SavedModel that takes and gives strings, and checks it before anyone else sees it.

That batch-mates and padding change no answer is checked on the server itself, by ServingValidator.
"""

import pathlib
from typing import Any

import keras
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from models.description import DescribedRequestSetting, ModelDescription
from models.errors import SeqlineError
from models.registry import TASKS
from models.run_settings import RunSettings
from models.tasks.signatures import Endpoints, Signatures
from models.tokenizers.vocabularies import Vocabularies

# Operations of TF Text that every TensorFlow Serving from 2.13 on has; three newer ones need 2.20 and are left out.
STOCK_TEXT_OPS = frozenset(
    """
    CaseFoldUTF8 NormalizeUTF8 NormalizeUTF8WithOffsetsMap FindSourceOffsets RegexSplitWithOffsets
    WhitespaceTokenizeWithOffsets TFText>WhitespaceTokenizeWithOffsetsV2 WordpieceTokenizeWithOffsets
    FastWordpieceTokenizeWithOffsets TFText>FastWordpieceDetokenize FastBertNormalize SentencepieceOp
    SentencepieceTokenizeOp SentencepieceTokenizeWithOffsetsOp SentencepieceDetokenizeOp SentencepieceIdToStringOp
    SentencepieceStringToIdOp SentencepieceVocabSizeOp TFText>FastSentencepieceTokenize
    TFText>FastSentencepieceDetokenize PhraseTokenize TFText>PhraseDetokenize UnicodeScriptTokenizeWithOffsets
    SplitMergeTokenizeWithOffsets TokenizerFromLogits TFText>NgramsStringJoin TFText>ByteSplitWithOffsets
    TFText>ByteSplitByOffsets TFText>BoiseTagsToOffsets TFText>OffsetsToBoiseTags SentenceFragments
    SentenceFragmentsV2 ConstrainedSequence MaxSpanningTree RougeL
    """.split()
)
# Core operations that need the Python process they were made in.
_PYTHON_OPS = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})


def export(
    model: keras.Model,
    settings: RunSettings,
    vocabularies: Vocabularies,
    directory: str,
    facts: dict[str, Any],
) -> None:
    """Writes the SavedModel with all signatures of the task, and checks its operations.

    Args:
        model: trained.
        settings: of the run.
        vocabularies: of the task's features.
        directory: folder of the SavedModel; made anew.
        facts: `code_version` and `metrics`, for `assets.extra/seqline.json`.

    Raises:
        SeqlineError: the graph has an operation that a stock server lacks, or a weight is no finite number.
    """
    check_weights(model)
    signatures = TASKS[settings.task].code().signatures(model, vocabularies, settings)
    archive = keras.export.ExportArchive()
    archive.track(model)
    for tokenizer in vocabularies.tokenizers.values():
        # Their lookup tables must be part of the SavedModel.
        archive.track(tokenizer)
    for name, (function, input_signature) in traced_endpoints(signatures).items():
        archive.add_endpoint(name, function, input_signature=input_signature)
    archive.write_out(directory, verbose=False)
    describe(settings, vocabularies, facts, signatures).write(pathlib.Path(directory))
    check_ops(directory)


def traced_endpoints(signatures: Signatures) -> Endpoints:
    """The endpoints, each traced once: those that ask one another hold the other's graph, not a copy of it."""
    endpoints = signatures.endpoints()
    for function, input_signature in endpoints.values():
        traced = tf.function(function, input_signature=input_signature, autograph=False)
        setattr(signatures, function.__name__, traced)
    # TensorFlow would trace them anew while it saves, but not what they call.
    concrete = {
        name: getattr(signatures, function.__name__).get_concrete_function()
        for name, (function, _) in endpoints.items()
    }
    return {name: (_calls(concrete[name]), input_signature) for name, (_, input_signature) in endpoints.items()}


def _calls(concrete: Any) -> Any:
    return lambda *arguments: concrete(*arguments)


def check_weights(model: keras.Model) -> None:
    """Looks at every weight.

    Raises:
        SeqlineError: naming those that hold a value that is not finite.
    """
    # Not NumPy's, which knows no bfloat16.
    floats = [weight for weight in model.weights if keras.backend.is_float_dtype(weight.dtype)]
    broken = [weight.path for weight in floats if not bool(keras.ops.all(keras.ops.isfinite(weight.value)))]
    if broken:
        raise SeqlineError(
            f"A model is exported only where all its weights are finite numbers. Received: {', '.join(broken)}. Train "
            "it again, with a lower training.learning_rate or training.clip_norm."
        )


def describe(
    settings: RunSettings,
    vocabularies: Vocabularies,
    facts: dict[str, Any],
    signatures: Signatures | None = None,
) -> ModelDescription:
    """What the model of a run says of itself; arguments as for `export`, and its signatures where it is exported."""
    request_settings = [
        DescribedRequestSetting(
            name=setting.name,
            dtype=setting.dtype,
            default=(default := setting.default_in(settings)),
            least=setting.least,
            most=setting.most,
            meaning=setting.meaning,
            probe=default if setting.probe is None else setting.probe,
        )
        for setting in TASKS[settings.task].request_settings
    ]
    return ModelDescription(
        name=settings.name,
        task=settings.task,
        architecture=settings.model.architecture,
        settings=settings.model_dump(mode="json"),
        labels=vocabularies.labels,
        categories=vocabularies.categories,
        request_settings=request_settings,
        request_defaults={setting.name: setting.probe for setting in request_settings},
        padded_axes=signatures.padded_axes() if signatures else {},
        streaming=signatures.streaming() if signatures else None,
        **facts,
    )


def check_ops(directory: str) -> None:
    """Compares every operation of a SavedModel with those of a stock TensorFlow Serving.

    Raises:
        SeqlineError: naming the operations that it lacks.
    """
    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString((pathlib.Path(directory) / "saved_model.pb").read_bytes())
    used: set[str] = set()
    for meta_graph in saved_model.meta_graphs:
        used |= {node.op for node in meta_graph.graph_def.node}
        functions = meta_graph.graph_def.library.function
        used |= {node.op for function in functions for node in function.node_def}
        used -= {function.signature.name for function in functions}
    foreign = {op for op in used if op in _PYTHON_OPS or not (hasattr(tf.raw_ops, op) or op in STOCK_TEXT_OPS)}
    if foreign:
        raise SeqlineError(
            "An exported model may only hold operations of a stock TensorFlow Serving. Received in its graph: "
            f"{', '.join(sorted(foreign))}. Compute the same with core TensorFlow or TF Text operations."
        )
