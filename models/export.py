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
    texts: list[str],
) -> None:
    """Writes the SavedModel with all signatures of the task, and checks it.

    Args:
        model: trained.
        settings: of the run.
        vocabularies: of the task's features.
        directory: folder of the SavedModel; made anew.
        facts: `code_version` and `metrics`, for `assets.extra/seqline.json`.
        texts: real inputs for the batch-mate check.

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
        **facts,
    }
    extra = pathlib.Path(directory) / "assets.extra"
    extra.mkdir(exist_ok=True)
    (extra / "seqline.json").write_text(json.dumps(described, indent=1, ensure_ascii=False), encoding="utf-8")
    check_ops(directory)
    check_batch_mates(directory, texts)


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


def check_batch_mates(directory: str, texts: list[str]) -> None:
    """Asks the SavedModel every text alone and among others, in another order: the answers must agree.

    Raises:
        SeqlineError: naming a text whose answer depends on its batch-mates.
    """
    predict = tf.saved_model.load(directory).signatures["serving_default"]
    (name,) = predict.structured_input_signature[1]
    together = _ask(predict, name, texts[::-1])
    for index, text in enumerate(texts):
        alone = _ask(predict, name, [text])
        for output, values in alone.items():
            if not _agree(values[0], together[output][len(texts) - 1 - index]):
                raise SeqlineError(
                    "The answer to a text must not depend on the texts beside it. "
                    f'Received for "{text}": {output}={values[0]!r} alone, '
                    f"{together[output][len(texts) - 1 - index]!r} in a batch of {len(texts)}. "
                    "A layer of this architecture ignores its padding mask."
                )


def _ask(predict: Any, name: str, texts: list[str]) -> dict[str, np.ndarray]:
    return {key: value.numpy() for key, value in predict(**{name: tf.constant(texts)}).items()}


def _agree(one: Any, other: Any) -> bool:
    if isinstance(one, bytes):
        return one == other
    if np.asarray(one).dtype == object:
        return list(one) == list(other)
    return bool(np.allclose(one, other, rtol=_TOLERANCE, atol=_TOLERANCE))
