"""Exports a trained model as one SavedModel that takes and gives strings, and checks it before anyone else sees it."""

import json
import pathlib
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from models.errors import SeqlineError
from models.registry import TASKS
from models.run_settings import RunSettings
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
_TOLERANCE = 1e-4


def export(
    model: keras.Model,
    settings: RunSettings,
    vocabularies: Vocabularies,
    directory: str,
    facts: dict[str, Any],
    requests: dict[str, list[Any]],
) -> None:
    """Writes the SavedModel with all signatures of the task, and checks it.

    Args:
        model: trained.
        settings: of the run.
        vocabularies: of the task's features.
        directory: folder of the SavedModel; made anew.
        facts: `code_version` and `metrics`, for `assets.extra/seqline.json`.
        requests: real inputs of `serving_default` for the batch-mate check, by name.

    Raises:
        SeqlineError: the graph has an operation that a stock server lacks, or batch-mates change an answer.
    """
    signatures = TASKS[settings.task].load().Signatures(model, vocabularies, settings)
    archive = keras.export.ExportArchive()
    archive.track(model)
    for tokenizer in vocabularies.tokenizers.values():
        # Their lookup tables must be part of the SavedModel.
        archive.track(tokenizer)
    for name, (function, input_signature) in signatures.endpoints().items():
        archive.add_endpoint(name, function, input_signature=input_signature)
    archive.write_out(directory, verbose=False)
    described = {
        "name": settings.name,
        "task": settings.task,
        "architecture": settings.model.architecture,
        "settings": settings.model_dump(),
        "labels": vocabularies.labels,
        "categories": vocabularies.categories,
        "request_defaults": signatures.request_defaults(),
        **facts,
    }
    extra = pathlib.Path(directory) / "assets.extra"
    extra.mkdir(exist_ok=True)
    (extra / "seqline.json").write_text(json.dumps(described, indent=1, ensure_ascii=False), encoding="utf-8")
    check_ops(directory)
    check_batch_mates(directory, requests)


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


def check_batch_mates(directory: str, requests: dict[str, list[Any]]) -> None:
    """Asks the SavedModel every request alone and among others, in another order: the answers must agree.

    Args:
        directory: folder of the SavedModel.
        requests: input name to one value for each request.

    Raises:
        SeqlineError: naming a request whose answer depends on its batch-mates.
    """
    predict = tf.saved_model.load(directory).signatures["serving_default"]
    together = _ask(predict, {name: values[::-1] for name, values in requests.items()})
    count = len(next(iter(requests.values())))
    for index in range(count):
        request = {name: values[index] for name, values in requests.items()}
        alone = _ask(predict, {name: [value] for name, value in request.items()})
        for output, values in alone.items():
            other = together[output][count - 1 - index]
            if not _agree(values[0], other):
                raise SeqlineError(
                    "The answer to a request must not depend on those beside it. "
                    f"Received for {_shown(request)}: {output}={values[0]!r} alone, {other!r} in a batch of {count}. "
                    "A layer of this architecture ignores its padding mask."
                )


def _ask(predict: Any, requests: dict[str, list[Any]]) -> dict[str, np.ndarray]:
    specifications = predict.structured_input_signature[1]
    inputs = {name: tf.constant(values, specifications[name].dtype) for name, values in requests.items()}
    return {key: value.numpy() for key, value in predict(**inputs).items()}


def _agree(one: Any, other: Any) -> bool:
    if isinstance(one, bytes):
        return one == other
    if np.asarray(one).dtype == object:
        return list(one) == list(other)
    if np.ndim(one):
        # What is longer beside others is padding.
        other, rest = other[: len(one)], other[len(one) :]
        if np.any(rest):
            return False
    return bool(np.allclose(one, other, rtol=_TOLERANCE, atol=_TOLERANCE))


def _shown(request: dict[str, Any]) -> str:
    values = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.items()}
    return ", ".join(f'{name} "{value}"' for name, value in values.items())
