"""Messages in protobuf's text form."""

import logging
from pathlib import Path

from google.protobuf import text_format
from google.protobuf.message import Message

from serving.errors import InvalidRequestError

_log = logging.getLogger("seqline.serving")


def read_text_proto(path: str, message: Message) -> None:
    """Fills a message from a file in protobuf's text form.

    Raises:
        InvalidRequestError: The file cannot be read or is no such message. The cause says where.
    """
    try:
        text_format.Parse(Path(path).read_text(encoding="utf-8"), message)
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        if isinstance(error, text_format.ParseError):
            # The line that protobuf itself writes for the original; scripts look for it.
            where = str(error).replace(" : ", ": ", 1)
            _log.error("Error parsing text-format tensorflow.serving.%s: %s", message.DESCRIPTOR.name, where)
        raise InvalidRequestError(f"Invalid protobuf file: '{path}'") from error
