"""A SavedModel in memory, ready to run.

The model is loaded into a graph session, as TensorFlow Serving itself loads it, and not by `tf.saved_model.load`: a
session finds the tensors that a signature names, answers errors in the words that clients of TensorFlow Serving see,
gives its memory back when it is closed, and costs a fifth of the time per call. A model that loads here loads there
for the same reasons.
"""

import gc
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  # registers the TF Text ops; without it such a model does not load
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
from tensorflow.python.client import pywrap_tf_session as tf_session
from tensorflow.python.saved_model.loader_impl import SavedModelLoader

from serving.core.metrics import Metrics
from serving.core.op_errors import meaning_of
from serving.core.padded_outputs import read_padded_axes
from serving.core.streaming.description import read_streaming
from serving.core.zero_rows import blank_row, is_without_rows, without_row
from serving.errors import (
    DataLossError,
    DeadlineExceededError,
    InvalidRequestError,
    NotFoundError,
    NotSupportedError,
    RequestCancelledError,
    ServingError,
)
from serving.settings import BatchingSettings

TIMED_OUT = "Timed out waiting for notification"  # TensorFlow's own words
_LONGEST_RUN_SECONDS = 10.0**8
# TensorFlow keeps 140 kB for each combination of outputs, and of 16 outputs there are 65,535.
_MOST_PROGRAMS = 64


class Program:
    """One way to run a servable: fixed inputs and outputs.

    Attributes:
        feeds: Names of the input tensors, in the order in which `run` takes arrays.
        fetches: Names of the output tensors, in the order in which `run` gives them.
        splittable: False once the outputs of a merged batch had no row per input row: then nothing is merged any more.
        batching: How requests are merged; None for the server's own way.
        pad_values: Feed to the value that fills rows of different lengths.
    """

    def __init__(
        self,
        session: tf.compat.v1.Session,
        feeds: tuple[str, ...],
        fetches: tuple[str, ...],
        batching: BatchingSettings | None = None,
        pad_values: Mapping[str, float | bytes] | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self.feeds = feeds
        self.fetches = fetches
        self.splittable = True
        self.batching = batching
        self.pad_values = pad_values or {}
        self._metrics = metrics or Metrics()
        session._extend_graph()
        self._session = session._session
        self._inputs = [_output_of(session.graph, name) for name in feeds]
        self._outputs = [_output_of(session.graph, name) for name in fetches]

    def run(self, arrays: Sequence[np.ndarray], deadline: float = math.inf) -> list[np.ndarray]:
        """Runs the model once. Safe to call from several threads.

        Args:
            arrays: One array per feed.
            deadline: When the run has to end, on the clock of `time.monotonic`: TensorFlow starts no op after it.

        Raises:
            ServingError: An op failed, with the op's meaning and text; or the time ran out.
        """
        try:
            return self._run(arrays, deadline)
        except ServingError:
            # Many models take the largest of their rows' settings, which is nothing to make a tensor of.
            outputs = without_row(self._run(blank_row(arrays), deadline)) if is_without_rows(arrays) else None
            if outputs is None:
                raise
            return outputs

    def _run(self, arrays: Sequence[np.ndarray], deadline: float) -> list[np.ndarray]:
        limit = math.inf if deadline == math.inf else deadline - time.monotonic()
        if limit <= 0:
            raise DeadlineExceededError(TIMED_OUT)
        options = _options(limit)
        try:
            # The public Session.run refuses shapes that the graph would take, converts types in silence and rewrites
            # error texts. This is what lies underneath it, where the graph itself decides. A callable of the session
            # would be as fast, but knows no time limit of a single run.
            feeds = dict(zip(self._inputs, arrays, strict=True))
            with self._metrics.graph_run():
                outputs = tf_session.TF_SessionRun_wrapper(self._session, options, feeds, self._outputs, [], None)
            return [_as_array(output) for output in outputs]
        except tf.errors.OpError as error:
            raise meaning_of(error) from error
        except UnicodeDecodeError as error:
            # TensorFlow's text quotes bytes of the request that are no UTF-8; its code is lost on the way to Python.
            raise InvalidRequestError(error.object.decode("utf-8", "replace")) from error
        except RuntimeError as error:  # what a closed session raises
            raise RequestCancelledError(f"the model was closed while a request ran: {error}") from error
        finally:
            if options is not None:
                tf_session.TF_DeleteBuffer(options)


def _output_of(graph: tf.Graph, name: str) -> Any:
    try:
        return graph.get_tensor_by_name(name)._as_tf_output()
    except KeyError as error:
        raise ValueError(str(error.args[0])) from error


def _options(limit: float) -> Any:
    """TensorFlow's RunOptions for a run of at most so many seconds; None where there is no limit."""
    if limit > _LONGEST_RUN_SECONDS:
        return None
    options = config_pb2.RunOptions(timeout_in_ms=math.ceil(1000 * limit))
    return tf_session.TF_NewBufferFromString(options.SerializeToString())


def _as_array(output: Any) -> np.ndarray:
    """An output as an array: a single string comes as plain bytes, and numpy would cut zeros off its end."""
    if not isinstance(output, bytes):
        return output
    array = np.empty((), dtype=object)
    array[()] = output
    return array


class Servable:
    """A loaded SavedModel.

    Attributes:
        path: Folder it came from.
        signatures: Signature name to SignatureDef, all that the graph holds.
        padded_axes: Signature name to what the model says of its padded outputs.
        streaming: The signatures that give an answer piece by piece; None where there are none.
    """

    def __init__(
        self,
        path: Path,
        tags: Sequence[str] = ("serve",),
        config: config_pb2.ConfigProto | None = None,
        batching: BatchingSettings | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """Loads variables and tables and runs the initialiser.

        Args:
            path: Folder of the SavedModel.
            tags: Tags of the graph in it.
            config: How TensorFlow runs it.
            batching: How requests to it are merged; None for the server's own way.
            metrics: Counts the load and the runs.

        Raises:
            ServingError: The folder holds no SavedModel of these tags, or TensorFlow cannot load it.
        """
        self.path = path
        self.padded_axes = read_padded_axes(path)
        self.streaming = read_streaming(path)
        self._programs: dict[tuple[tuple[str, ...], tuple[str, ...]], Program] = {}
        self._lock = threading.Lock()
        self._batching = batching
        self._metrics = metrics or Metrics()
        self._session: Any = tf.compat.v1.Session(graph=tf.Graph(), config=config)
        try:
            with self._metrics.load(str(path)) as end_stage:
                meta_graph = self._load(list(tags), end_stage)
        except BaseException:
            self._session.close()
            raise
        # Copies, so that the graph definition itself can be freed.
        self.signatures: dict[str, meta_graph_pb2.SignatureDef] = {}
        for name, signature in meta_graph.signature_def.items():
            self.signatures[name] = meta_graph_pb2.SignatureDef()
            self.signatures[name].CopyFrom(signature)

    def program(
        self, feeds: tuple[str, ...], fetches: tuple[str, ...], instead: tuple[str, ...] | None = None
    ) -> Program:
        """Prepares a run with these input and output tensor names; the second time it is only looked up.

        Args:
            feeds: Names of the input tensors.
            fetches: Names of the output tensors.
            instead: Names that hold all of `fetches` and more, which are run once many combinations have been asked
                for; then `fetches` of the program tells what it gives.

        Raises:
            InvalidRequestError: The graph has no such tensors.
        """
        program = self._programs.get((feeds, fetches))
        if program is not None:
            return program
        with self._lock:
            if instead is not None and len(self._programs) >= _MOST_PROGRAMS:
                fetches = instead
            program = self._programs.get((feeds, fetches))
            if program is None:
                try:
                    program = Program(self._session, feeds, fetches, self._batching, self._pad_values(), self._metrics)
                except (tf.errors.OpError, ValueError) as error:
                    raise InvalidRequestError(str(error)) from error
                self._programs[feeds, fetches] = program
            return program

    def _pad_values(self) -> dict[str, float | bytes]:
        given = self._batching.padding_values if self._batching else {}
        wanted = {alias: value.encode() if isinstance(value, str) else value for alias, value in given.items()}
        inputs = [pair for signature in self.signatures.values() for pair in signature.inputs.items()]
        return {info.name: wanted[alias] for alias, info in inputs if alias in wanted}

    def close(self) -> None:
        """Gives the memory back. No request may run any more."""
        with self._lock:
            self._programs.clear()
        self._session.close()
        self._session = None
        # Variables and tables are gone by now. What is left is the graph: Python objects that refer to each other in
        # circles, until a collection finds them. Where `prepare_process` was called that takes a millisecond; elsewhere
        # it would stop every thread for half a second, so there it is left to Python's own collections.
        if gc.get_freeze_count():
            gc.collect()

    def _load(self, tags: list[str], end_stage: Callable[[str], None]) -> meta_graph_pb2.MetaGraphDef:
        if (self.path / "export.meta").exists():
            raise NotSupportedError("Session Bundle is deprecated and removed.")
        if not (self.path / "saved_model.pb").is_file():
            raise NotFoundError(
                "Specified file path does not appear to contain a SavedModel bundle (should have a file called "
                f"`saved_model.pb`)\nSpecified file path: {self.path}"
            )
        try:
            with self._session.graph.as_default():
                loader = SavedModelLoader(str(self.path))
                saver, _ = loader.load_graph(self._session.graph, tags)
                loader.restore_variables(self._session, saver)
                end_stage("restore_graph")
                loader.run_init_ops(self._session, tags)
                end_stage("init_graph")
                return loader.get_meta_graph_def_from_tags(tags)
        except tf.errors.OpError as error:
            raise meaning_of(error) from error
        except RuntimeError as error:
            if "could not be found in SavedModel" not in str(error):
                raise
            raise NotFoundError(
                f"Could not find meta graph def matching supplied tags: {{ {' '.join(tags)} }}. {error}"
            ) from error
        except ValueError as error:  # what the loader makes of a checkpoint without its index
            raise NotFoundError(f"the variables of {self.path} are missing or not all there: {error}") from error
        except OSError as error:  # what the loader makes of a saved_model.pb that is no protocol buffer
            raise DataLossError(f"cannot read {self.path / 'saved_model.pb'}: {error}") from error
