"""How TensorFlow runs the models: its ConfigProto, from the settings."""

from tensorflow.core.protobuf import config_pb2

from serving.core.text_form import read_text_proto
from serving.settings import ServingSettings


def session_config(settings: ServingSettings) -> config_pb2.ConfigProto:
    """The configuration of every model's session: the file's, where there is one, and above it the single settings.

    Raises:
        InvalidRequestError: The file cannot be read or is no ConfigProto.
    """
    config = config_pb2.ConfigProto(allow_soft_placement=True)
    # Idle threads that spin take the cores from those that parse requests and run other batches.
    config.experimental.disable_thread_spinning = True
    config.gpu_options.allow_growth = not settings.gpu_memory_fraction
    if settings.session_config_file:
        read_text_proto(settings.session_config_file, config)
    if settings.intra_op_threads:
        config.intra_op_parallelism_threads = settings.intra_op_threads
    if settings.inter_op_threads:
        config.inter_op_parallelism_threads = settings.inter_op_threads
    if settings.gpu_memory_fraction:
        config.gpu_options.per_process_gpu_memory_fraction = settings.gpu_memory_fraction
    return config
