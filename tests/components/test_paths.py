from collections.abc import Iterator
from pathlib import Path

import pytest
import tensorflow as tf

from components.paths import local_copy, local_output

# TensorFlow's file system in memory: as far from pathlib as an object store, and TFX reaches it in the same way.
FAR = "ram://folder"


@pytest.fixture(autouse=True)
def ram() -> Iterator[None]:
    from tfx.dsl.io import filesystem_registry
    from tfx.dsl.io.plugins.tensorflow_gfile import TensorflowFilesystem

    class Ram(TensorflowFilesystem):
        SUPPORTED_SCHEMES = ["ram://"]

    filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY.register(Ram, priority=20)
    yield


def test_a_local_folder_is_used_as_it_is(tmp_path: Path) -> None:
    with local_copy(str(tmp_path)) as path:
        assert path == tmp_path
    with local_copy(f"file://{tmp_path}/with%20blank") as path:
        assert path == tmp_path / "with blank"
    with local_output(str(tmp_path)) as path:
        assert path == tmp_path


def test_a_far_folder_is_copied_for_a_while() -> None:
    tf.io.gfile.makedirs(f"{FAR}/read/variables")
    with tf.io.gfile.GFile(f"{FAR}/read/variables/index", "w") as file:
        file.write("weights")
    with local_copy(f"{FAR}/read") as path:
        assert (path / "variables" / "index").read_text() == "weights"
    assert not path.exists()


def test_what_is_written_goes_to_a_far_folder_unless_it_failed() -> None:
    with local_output(f"{FAR}/written") as path:
        (path / "inner").mkdir()
        (path / "inner" / "a").write_text("a")
    with tf.io.gfile.GFile(f"{FAR}/written/inner/a") as file:
        assert file.read() == "a"
    with pytest.raises(ValueError, match="x"), local_output(f"{FAR}/half") as path:
        (path / "a").write_text("half")
        raise ValueError("x")
    assert not tf.io.gfile.exists(f"{FAR}/half/a")
