import pytest

from serving.errors import ServerStartError
from serving.flags import FLAGS, parse, usage
from serving.settings import ServingSettings


def test_without_flags_the_server_behaves_as_tensorflow_serving_does():
    settings = parse([]).settings()
    assert settings.port == 8500
    assert not settings.batching.enabled
    assert settings.host == "127.0.0.1"
    assert parse([]).values["model_name"] == "default"


def test_values_reach_the_settings():
    line = parse(
        [
            "--port=9000",
            "--host=0.0.0.0",
            "--model_base_path=/models/x",
            "--file_system_poll_wait_seconds=5",
            "--load_retry_interval_micros=2000000",
            "--saved_model_tags=serve,tpu",
            "--tensorflow_session_parallelism=3",
            "--enable_model_warmup=false",
            "--num_request_iterations_for_warmup=4",
            "--enable_serialization_as_tensor_content",
        ]
    )
    settings = line.settings()
    assert line.values["model_base_path"] == "/models/x"
    assert (settings.port, settings.host, settings.poll_seconds) == (9000, "0.0.0.0", 5)
    assert settings.load_retry_seconds == 2
    assert settings.saved_model_tags == ("serve", "tpu")
    assert (settings.intra_op_threads, settings.inter_op_threads) == (3, 3)
    assert (settings.enable_model_warmup, settings.num_warmup_iterations) == (False, 4)
    assert settings.outputs_as_tensor_content


@pytest.mark.parametrize(
    "argument", ["--enable_batching", "--enable_batching=true", "--enable_batching=TRUE", "--enable_batching=1"]
)
def test_enable_batching_batches_as_strictly_as_tensorflow_serving(argument):
    batching = parse([argument]).settings().batching
    assert batching.enabled
    assert batching.strict
    assert (batching.max_batch_size, batching.max_enqueued_batches, batching.batch_timeout_micros) == (1000, 10, 0)


def test_the_last_of_several_wins():
    assert parse(["--port=1", "--port=2"]).values["port"] == 2
    assert parse(["--enable_batching", "--enable_batching=false"]).values["enable_batching"] is False


def test_unknown_arguments_are_told_and_do_not_stop_the_start():
    line = parse(["--port", "9000", "-port=1", "--other=2", "port=3"])
    assert line.unknown == ["--port", "9000", "-port=1", "--other=2", "port=3"]
    assert line.values["port"] == 8500


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--port=x", "--port takes a whole number, got 'x'"),
        ("--enable_batching=maybe", "--enable_batching takes true or false, got 'maybe'"),
        ("--per_process_gpu_memory_fraction=x", "--per_process_gpu_memory_fraction takes a number, got 'x'"),
        (
            "--platform_config_file=platforms.config",
            "--platform_config_file is not supported, leave it out: TensorFlow is the only platform",
        ),
    ],
)
def test_bad_values_and_flags_not_served_are_refused(argument, message):
    with pytest.raises(ServerStartError) as caught:
        parse([argument])
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--batching_parameters_file=x"],
            "server_options.batching_parameters_file is set without setting server_options.enable_batching to true.",
        ),
        (
            [f"--tensorflow_{kind}_parallelism=2" for kind in ("session", "intra_op", "inter_op")],
            "--tensorflow_session_parallelism sets both thread counts",
        ),
    ],
)
def test_flags_that_contradict_each_other_are_refused(arguments, message):
    with pytest.raises(ServerStartError) as caught:
        parse(arguments)
    assert str(caught.value).startswith(message)


def test_rest_is_off_until_it_has_a_port_and_metrics_until_a_file_asks_for_them():
    settings = parse([]).settings()
    assert (settings.rest.enabled, settings.monitoring.enabled) == (False, False)
    settings = parse(["--rest_api_port=8501", "--rest_api_timeout_in_ms=1500", "--monitoring_config_file=x"]).settings()
    assert (settings.rest.enabled, settings.rest.port, settings.rest.required) == (True, 8501, False)
    assert (settings.rest.timeout_seconds, settings.monitoring.config_file) == (1.5, "x")


def test_port_0_leaves_the_unix_socket_alone():
    settings = parse(["--port=0", "--grpc_socket_path=/tmp/s"]).settings()
    assert (settings.grpc_tcp, settings.grpc_socket_path) == (False, "/tmp/s")


def test_labels_loads_and_ports_follow_the_original_unless_told_otherwise():
    assert parse([]).settings().models == ServingSettings().models.model_copy(
        update={
            "labels_after_load": False,
            "max_load_retries": 5,
            "ports_open_at_once": False,
            "skip_incomplete_versions": False,
        }
    )
    better = ["--labels_after_load", "--retry_for_ever", "--ports_open_at_once", "--skip_incomplete_versions"]
    assert parse(better).settings().models == ServingSettings().models


def test_a_value_out_of_range_is_named():
    with pytest.raises(ServerStartError, match="port: .*70000"):
        parse(["--port=70000"]).settings()


def test_a_flag_at_its_default_is_accepted_even_where_not_served():
    assert parse(["--num_tflite_pools=0", "--mixed_precision="]).unknown == []


def test_every_setting_named_in_the_table_exists():
    for flag in FLAGS:
        model = ServingSettings
        *sections, name = flag.setting.split(".") if flag.setting else [""]
        for section in sections:
            model = model.model_fields[section].annotation
        assert not name or name in model.model_fields, flag.name


def test_usage_lists_what_is_served():
    assert "--model_base_path=" in usage()
    assert "use_alts_credentials" not in usage()
