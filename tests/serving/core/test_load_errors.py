"""Why a version folder cannot be loaded, in the words that clients of TensorFlow Serving see."""

import pytest

from serving.core.servable import Servable
from serving.errors import InvalidRequestError, NotFoundError, NotSupportedError, OutOfRangeError, ServerStartError
from tests.serving import saved_models


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(NotFoundError) as caught:
        Servable(tmp_path)
    assert str(caught.value) == (
        "Specified file path does not appear to contain a SavedModel bundle (should have a file called "
        f"`saved_model.pb`)\nSpecified file path: {tmp_path}"
    )


def test_a_session_bundle_of_old_times(tmp_path):
    (tmp_path / "export.meta").touch()
    with pytest.raises(NotSupportedError, match=r"^Session Bundle is deprecated and removed\.$"):
        Servable(tmp_path)


def test_tags_that_the_model_has_not(exported):
    with pytest.raises(NotFoundError) as caught:
        Servable(exported / "line1", tags=("serve", "gpu"))
    assert str(caught.value).startswith("Could not find meta graph def matching supplied tags: { serve gpu }")


def test_an_op_that_this_tensorflow_does_not_know(tmp_path, exported):
    folder = saved_models.copy(exported / "line1", tmp_path / "copy")
    saved_models.replace_op(folder, "AddV2", "AddV99")
    with pytest.raises(NotFoundError, match="^Op type not registered 'AddV99' in binary running on "):
        Servable(folder)


def test_truncated_variables(tmp_path, exported):
    folder = saved_models.copy(exported / "line1", tmp_path / "copy")
    data = folder / "variables" / "variables.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:10])
    with pytest.raises(OutOfRangeError, match="Read less bytes than requested"):
        Servable(folder)


def test_a_session_config_reaches_the_model(serve, base, exported, tmp_path):
    saved_models.publish(exported / "line2", base, 1)
    file = tmp_path / "session.config"
    file.write_text("intra_op_parallelism_threads: 1\ninter_op_parallelism_threads: 3\n")
    server, stub = serve(session_config_file=str(file), inter_op_threads=2)
    assert stub.y(2) == [3]
    with server.store.lease(_query()) as lease:
        config = lease.servable._session._config
    assert (config.intra_op_parallelism_threads, config.inter_op_parallelism_threads) == (1, 2)


@pytest.mark.parametrize("text", ["nonsense", "intra_op_parallelism_threads: many"])
def test_a_session_config_that_is_none_is_named(serve, tmp_path, text):
    file = tmp_path / "session.config"
    file.write_text(text)
    with pytest.raises(ServerStartError, match=rf"Invalid protobuf file: '{file}'"):
        serve(wait=False, session_config_file=str(file))


def test_a_tensor_that_the_graph_has_not(exported):
    servable = Servable(exported / "line1")
    with pytest.raises(InvalidRequestError):
        servable.program(("nothing:0",), ("nowhere:0",))
    servable.close()


def _query():
    from serving.core.store import ModelQuery

    return ModelQuery("m")
