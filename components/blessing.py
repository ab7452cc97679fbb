"""The verdict on a model, as TFX's Pusher and resolvers read it."""

from tfx.components.evaluator import constants
from tfx.dsl.io import fileio
from tfx.types.standard_artifacts import Model, ModelBlessing

_BLESSED = constants.ARTIFACT_PROPERTY_BLESSED_KEY


def is_blessed(blessing: ModelBlessing) -> bool:
    """Whether the verdict is a good one."""
    return blessing.get_int_custom_property(_BLESSED) == 1


def give(blessing: ModelBlessing, model: Model, blessed: bool) -> None:
    """Writes a verdict, in place of one that may be there.

    Args:
        blessing: the artifact to write.
        model: the model that was judged.
        blessed: whether it may be pushed.
    """
    blessing.set_string_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    blessing.set_int_custom_property(_BLESSED, int(blessed))
    given, other = constants.BLESSED_FILE_NAME, constants.NOT_BLESSED_FILE_NAME
    if not blessed:
        given, other = other, given
    if fileio.exists(f"{blessing.uri}/{other}"):
        fileio.remove(f"{blessing.uri}/{other}")
    with fileio.open(f"{blessing.uri}/{given}", "wb") as stream:
        stream.write(b"")
