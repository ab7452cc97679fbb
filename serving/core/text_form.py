"""Messages in protobuf's text form."""

from pathlib import Path

from google.protobuf import text_format
from google.protobuf.message import Message

from serving.errors import InvalidRequestError


def read_text_proto(path: str, message: Message) -> None:
    """Fills a message from a file in protobuf's text form.

    Raises:
        InvalidRequestError: The file cannot be read or is no such message. The cause says where.
    """
    try:
        text_format.Parse(Path(path).read_text(encoding="utf-8"), message)
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise InvalidRequestError(f"Invalid protobuf file: '{path}'") from error
