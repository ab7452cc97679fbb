"""Settings of the embedded server: the section `serving` of a pipeline configuration."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# Marks a key whose text is a path. A pipeline configuration expands variables in it; on a command line the shell does.
PATH: dict[str, Any] = {"path": True}


class FrozenSettings(BaseModel):
    """Base of the settings in this package: immutable, unknown keys refused.

    `serving` imports nothing else of the project, so it has its own base.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


class BatchingSettings(FrozenSettings):
    """How requests that wait at the same time are merged into one run of the model."""

    enabled: bool = True
    """Merge waiting requests. False: each request runs by itself."""

    max_batch_size: int = Field(default=64, ge=1)
    """Largest merged batch, in rows (size of the first dimension)."""

    batch_timeout_micros: int = Field(default=0, ge=0)
    """How long a batch waits for more requests, in microseconds. 0: it runs as soon as a thread is free, so batches
    form only under load and a lone request never waits."""

    max_enqueued_batches: int = Field(default=100, ge=1)
    """Batches that may wait for each combination of model version, signature and outputs. One more is answered
    UNAVAILABLE."""

    num_batch_threads: int = Field(default=0, ge=0)
    """Batches that run at the same time, over all models. 0: one per processor."""

    strict: bool = False
    """What happens to a request that cannot be merged (over max_batch_size, or without a common first dimension).
    False: it runs by itself. True: it is refused with TensorFlow Serving's message."""

    allowed_batch_sizes: tuple[int, ...] = ()
    """Sizes of batches that the model may see, ascending; a smaller batch is filled up with copies of a row, and their
    answers are dropped. The last must be max_batch_size. Empty: any size."""

    pad_variable_length_inputs: bool = False
    """Merge requests whose inputs differ in later dimensions too, by padding at the end; answers come back padded.
    False: only requests of equal dimensions share a batch, so that their lengths change no answer."""

    padding_values: dict[str, Annotated[float, Field(allow_inf_nan=True)] | str] = {}
    """Input name to the value that pads it, -.inf too. An input that is not named takes its own first element, as in
    TensorFlow Serving."""

    enable_large_batch_splitting: bool = False
    """Cut a request to fill the open batch. False: a request stays whole."""

    max_execution_batch_size: int = Field(default=0, ge=0)
    """Largest batch that the model sees when requests are cut. 0: max_batch_size."""

    parameters_file: str = Field(default="", json_schema_extra=PATH)
    """Text file of TensorFlow Serving's BatchingParameters: what it names wins over the settings here. Empty: none."""

    per_model_parameters: bool = False
    """Read batching_params.pbtxt from each version folder; models without that file are not batched."""

    @property
    def largest_run(self) -> int:
        """Largest batch that the model sees, in rows."""
        split = self.enable_large_batch_splitting and self.max_execution_batch_size
        return self.max_execution_batch_size if split else self.max_batch_size

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        sizes = self.allowed_batch_sizes
        if sizes and sizes[-1] != self.largest_run:
            raise ValueError(
                "Last entry in allowed_batch_sizes must match max_batch_size; "
                f"last entry was {sizes[-1]}; expected {self.largest_run}"
            )
        if list(sizes) != sorted(set(sizes)) or (sizes and sizes[0] < 1):
            raise ValueError(f"allowed_batch_sizes must be positive and ascending, got {list(sizes)}")
        if self.max_execution_batch_size > self.max_batch_size:
            raise ValueError(
                f"max_execution_batch_size ({self.max_execution_batch_size}) must not be larger than max_batch_size "
                f"({self.max_batch_size}): lower the one or raise the other"
            )
        return self


class StreamingSettings(FrozenSettings):
    """Answers that are given piece by piece: texts join and leave the running batch between its steps."""

    max_rows: int = Field(default=32, ge=1)
    """Texts that are written at the same time, for each model version. Each holds its own cache in memory."""

    max_waiting: int = Field(default=256, ge=0)
    """Texts that may wait for one of these places, for each model version. One more is answered RESOURCE_EXHAUSTED."""


class RestSettings(FrozenSettings):
    """The REST twin of the gRPC API (HTTP, JSON)."""

    enabled: bool = True
    """Open the HTTP port."""

    port: int = Field(default=8501, ge=0, le=65535)
    """TCP port of the REST API, metrics and health. 0: any free port."""

    timeout_seconds: float = 30.0
    """Longest run of the model for one request, in seconds. 0 or less: no limit."""

    cors: bool = False
    """Let web pages of other origins call the API."""

    max_threads: int = Field(default=64, ge=1)
    """Large bodies that are read at the same time; the others wait."""

    idle_seconds: float = Field(default=60.0, gt=0)
    """How long a client may send nothing of a request that it has begun, read nothing of an answer (30 s at most), or
    leave its connection without a request, in seconds. The head of a request has to be there within this time."""

    max_head_bytes: int = Field(default=65536, ge=1024)
    """Longest address and longest single header, in bytes."""

    max_body_bytes: int = Field(default=100 * 2**20, ge=1024)
    """Largest request accepted, in bytes, unpacked where it comes gzipped. A larger one is answered
    RESOURCE_EXHAUSTED."""

    required: bool = True
    """Do not start where the port cannot be had. False: go on without REST and say so in the log, as TensorFlow Serving
    does."""

    tls: bool = False
    """Encrypt this port as well, with the keys of security.ssl_config_file."""


class MonitoringSettings(FrozenSettings):
    """Prometheus metrics, on the REST port."""

    enabled: bool = True
    """Serve metrics."""

    path: str = "/monitoring/prometheus/metrics"
    """Where."""

    config_file: str = Field(default="", json_schema_extra=PATH)
    """Text file of TensorFlow Serving's MonitoringConfig; what it names wins over the settings here. Empty: none."""


class RequestLogSettings(FrozenSettings):
    """Logs of requests and answers, as TFRecord files of PredictionLog: to compare later traffic with training data."""

    folder: str = Field(default="", json_schema_extra=PATH)
    """Where the files go, a folder per model. Empty: nothing is logged."""

    sampling_rate: float = Field(default=0.01, ge=0, le=1)
    """Share of the requests that is logged."""

    max_file_bytes: int = Field(default=64 * 2**20, ge=1024)
    """A new file begins beyond this size, in bytes."""

    max_files: int = Field(default=16, ge=1)
    """Files kept for each model; the oldest goes first."""


class SecuritySettings(FrozenSettings):
    """Encryption and authentication."""

    ssl_config_file: str = Field(default="", json_schema_extra=PATH)
    """Text file of TensorFlow Serving's SSLConfig: keys and certificates, PEM, inline. Empty: no encryption."""

    token_file: str = Field(default="", json_schema_extra=PATH)
    """File with one accepted bearer token per line; each request must bring one. Empty: everybody may ask."""


class ModelsSettings(FrozenSettings):
    """Several models in one server, and how their versions come and go."""

    config_file: str = Field(default="", json_schema_extra=PATH)
    """Text file of TensorFlow Serving's ModelServerConfig. Empty: the one model of the command."""

    config_file_poll_seconds: float = Field(default=0.0, ge=0)
    """Time between two looks into config_file, in seconds. 0: it is read once."""

    labels_for_unavailable_versions: bool = False
    """Let a new version label name a version that is not available."""

    labels_after_load: bool = True
    """Apply version labels when the versions of the same configuration have loaded. False: before, as TensorFlow
    Serving does, so that a label of a version that comes with it is refused."""

    max_load_retries: int = Field(default=-1, ge=-1)
    """Tries of a version after its first failure, load_retry_seconds apart; then it is given up. -1: it is tried for
    ever, with growing waits, and the status tells the error meanwhile."""

    ports_open_at_once: bool = True
    """Open the ports before the models have loaded; health tells which model answers. False: after the first load, and
    a model that fails to load then ends the server, as in TensorFlow Serving."""

    skip_incomplete_versions: bool = True
    """Leave a version folder without saved_model.pb alone until it has one, and load a version anew whose copy went on
    after its load. False: its load fails, and what has loaded is not looked at again."""

    require_base_path: bool = False
    """Do not start where the folder of the model is not there. False: wait for it, as TensorFlow Serving does."""


class ServingSettings(FrozenSettings):
    """The server: where it listens, which versions it serves, how much it accepts."""

    host: str = "127.0.0.1"
    """Address to listen on. 127.0.0.1: this machine only. 0.0.0.0: every network interface."""

    port: int = Field(default=8500, ge=0, le=65535)
    """TCP port of the gRPC API. 0: any free port."""

    grpc_socket_path: str = Field(default="", json_schema_extra=PATH)
    """Unix socket to listen on as well. Empty: none."""

    grpc_tcp: bool = True
    """Listen on the TCP port. False: on the unix socket only."""

    poll_seconds: float = Field(default=1.0, ge=0)
    """Time between two looks for new versions in the base folder, in seconds. 0: one look, at the start."""

    num_versions: int = Field(default=1, ge=0)
    """Serve this many versions, the highest numbers. 0: serve every version found."""

    specific_versions: tuple[int, ...] = ()
    """Serve exactly these versions and no other. Empty: num_versions decides."""

    load_retry_seconds: float = Field(default=1.0, gt=0)
    """Wait before a version that failed to load is tried again, in seconds. Doubles with each failure."""

    max_load_retry_seconds: float = Field(default=60.0, gt=0)
    """Longest wait between two tries of a version that fails to load, in seconds."""

    enable_model_warmup: bool = True
    """Run the requests of assets.extra/tf_serving_warmup_requests before a version becomes available."""

    num_warmup_iterations: int = Field(default=1, ge=1)
    """Times that each warm-up request is run."""

    batching: BatchingSettings = BatchingSettings()
    """Merging of requests."""

    streaming: StreamingSettings = StreamingSettings()
    """Answers piece by piece."""

    rest: RestSettings = RestSettings()
    """The REST API."""

    monitoring: MonitoringSettings = MonitoringSettings()
    """Metrics."""

    request_log: RequestLogSettings = RequestLogSettings()
    """Logs of requests."""

    security: SecuritySettings = SecuritySettings()
    """Encryption and authentication."""

    models: ModelsSettings = ModelsSettings()
    """Several models, labels, retries."""

    grpc_health: bool = True
    """Serve grpc.health.v1: one entry per model, beside those of TensorFlow Serving."""

    grpc_channel_arguments: str = ""
    """Options of the gRPC server, as name=value,name=value. Empty: none."""

    session_config_file: str = Field(default="", json_schema_extra=PATH)
    """Text file of TensorFlow's ConfigProto for every model. Empty: none."""

    gpu_memory_fraction: float = Field(default=0.0, ge=0, le=1)
    """Share of a GPU's memory that TensorFlow takes. 0: what it needs, growing."""

    intra_op_threads: int = Field(default=0, ge=0)
    """Threads inside one TensorFlow op. 0: TensorFlow chooses."""

    inter_op_threads: int = Field(default=0, ge=0)
    """TensorFlow ops of one run that may run at the same time. 0: TensorFlow chooses."""

    saved_model_tags: tuple[str, ...] = ("serve",)
    """Tags of the graph to load from a SavedModel."""

    check_method_names: bool = False
    """Refuse Predict on a signature whose method name is not one of TensorFlow Serving's."""

    outputs_as_tensor_content: bool = False
    """Encode output tensors as raw bytes (tensor_content). False: as value fields, TensorFlow Serving's default."""

    max_message_bytes: int = Field(default=100 * 2**20, ge=1024, le=2**31 - 1)
    """Largest gRPC request accepted, in bytes, unpacked where it comes compressed. A larger one is answered
    RESOURCE_EXHAUSTED."""

    max_tensor_bytes: int = Field(default=2**29, ge=1024)
    """Largest tensor that an input may unfold to, in bytes: a message of a few bytes can claim any shape."""

    max_repeated_values: int = Field(default=10_000, ge=0)
    """Most values that an input may claim by its shape without bringing them; TensorFlow Serving repeats the last."""

    max_string_bytes: int = Field(default=10_000_000, ge=1)
    """Longest string of a request, in bytes. A model that cuts texts into tokens takes seconds for ten million."""

    max_rows: int = Field(default=1_000_000, ge=1)
    """Most rows (size of the first dimension) that a request may have."""

    max_threads: int = Field(default=64, ge=1)
    """Requests whose large message is read, or that run without batching, at the same time; the others wait."""

    max_concurrent_requests: int = Field(default=1024, ge=1)
    """Requests accepted at the same time on each port, waiting ones included. A request counts from when all of it has
    arrived. One more is answered RESOURCE_EXHAUSTED."""

    max_connections: int = Field(default=0, ge=0)
    """Connections to each port at the same time. One more closes the one of REST that has been silent longest; on gRPC
    it is closed itself. 0: as many as the limit of open files allows."""

    message_seconds: float = Field(default=120.0, gt=0)
    """How long a gRPC call may take to send its message, in seconds, and a client to take each piece of a stream."""

    idle_seconds: float = Field(default=900.0, gt=0)
    """How long a gRPC connection without calls stays open, in seconds. Clients open the next one by themselves."""

    request_timeout_seconds: float = 0.0
    """Longest run of the model for one gRPC request, in seconds, whatever the caller's own deadline. 0 or less: no
    limit."""

    lame_duck_seconds: float = Field(default=3.0, ge=0)
    """On SIGTERM: how long health says no while requests still pass, in seconds, so that load balancers notice before
    anything is refused. Keep it above the time between two probes, or give Kubernetes a `preStop` sleep."""

    grace_seconds: float = Field(default=10.0, ge=0)
    """On SIGTERM (after lame_duck_seconds) or SIGINT: time for running requests to finish, in seconds."""

    @model_validator(mode="after")
    def _retry_waits_in_order(self) -> Self:
        if self.max_load_retry_seconds < self.load_retry_seconds:
            raise ValueError(
                f"max_load_retry_seconds ({self.max_load_retry_seconds}) must not be smaller than load_retry_seconds "
                f"({self.load_retry_seconds}): raise the one or lower the other"
            )
        return self
