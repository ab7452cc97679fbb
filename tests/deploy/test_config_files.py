"""The server's own configuration files: they parse, and say what the pipeline makes."""

from pathlib import Path

import pytest
import yaml

from serving.core.config_messages import BatchingParameters, MonitoringConfig
from serving.core.model_config import read_config_file
from tests.deploy.manifests import CONFIG, DEPLOY, OBJECT_STORE, models, parse, starts

MODEL_FILES = [CONFIG / "models.config", OBJECT_STORE / "models.config"]


def default_name() -> str:
    return yaml.safe_load((DEPLOY.parent / "pipeline_config.yaml").read_text(encoding="utf-8"))["name"]


@pytest.mark.parametrize("path", MODEL_FILES, ids=lambda path: path.parent.name)
def test_the_embedded_server_accepts_the_model_config_files_too(path: Path):
    assert [model.name for model in read_config_file(str(path))] == [default_name()]


@pytest.mark.parametrize("path", MODEL_FILES, ids=lambda path: path.parent.name)
def test_the_base_path_ends_with_the_folder_that_the_pipeline_pushes_to(path: Path):
    for model in models(path):
        assert model.base_path.rsplit("/", 1)[-1] == model.name


def test_the_object_store_variant_reads_google_cloud_storage_only_the_server_knows_no_other():
    assert all(model.base_path.startswith("gs://") for model in models(OBJECT_STORE / "models.config"))


def test_batch_sizes_ascend_to_the_largest_batch_or_no_model_would_load():
    batching = parse(CONFIG / "batching.config", BatchingParameters())
    sizes = list(batching.allowed_batch_sizes)
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == batching.max_batch_size.value


def test_no_input_is_padded_by_the_server():
    assert not parse(CONFIG / "batching.config", BatchingParameters()).pad_variable_length_inputs


@pytest.mark.parametrize("where", starts())
def test_batches_run_on_as_many_threads_as_the_container_has_processors(where: str):
    flags = starts()[where].flags
    threads = parse(CONFIG / "batching.config", BatchingParameters()).num_batch_threads.value
    assert {threads} == {
        int(flags["tensorflow_intra_op_parallelism"]),
        int(flags["tensorflow_inter_op_parallelism"]),
    }


@pytest.mark.parametrize("where", starts())
def test_the_threads_suffice_for_a_full_batch_to_wait(where: str):
    batching = parse(CONFIG / "batching.config", BatchingParameters())
    assert int(starts()[where].flags["grpc_max_threads"]) >= 2 * batching.max_batch_size.value


def test_metrics_are_on():
    assert parse(CONFIG / "monitoring.config", MonitoringConfig()).prometheus_config.enable


def test_every_text_proto_is_tested_here():
    assert set(DEPLOY.rglob("*.config")) == {*MODEL_FILES, CONFIG / "batching.config", CONFIG / "monitoring.config"}
