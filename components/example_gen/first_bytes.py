"""What a file is, by its first bytes: for messages about files that are not what their names or the settings say."""

import codecs
import re
from dataclasses import dataclass

# As much as the longest signature needs: that of a tar archive stands at byte 257.
HEAD = 2048


@dataclass(frozen=True)
class Content:
    """What the first bytes of a file show.

    Attributes:
        name: what it is, with its article.
        way_out: what to do so that it can be read.
    """

    name: str
    way_out: str

    def __str__(self) -> str:
        return f"its content is {self.name}. {self.way_out}"


_SOUND = "Convert it: ffmpeg -i FILE NEW_FILE.wav"
_SHEET = "Save the sheet as CSV (UTF-8)"
_TABLE = "Write it as Parquet, CSV or JSON Lines"
_UNPACK = "Unpack it first"

# Bytes that no text begins with.
_FILES: tuple[tuple[str, Content], ...] = (
    (r"PK\x03\x04(?s:.)*?(?:\[Content_Types\]\.xml|xl/|word/)", Content("an Office file (such as .xlsx)", _SHEET)),
    (r"PK(?:\x03\x04|\x05\x06)", Content("a ZIP archive", f"{_UNPACK}: unzip FILE; recordings may come as tar")),
    (r"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Content("an old Office file (such as .xls)", _SHEET)),
    (r"PAR1", Content("Parquet", "Set data.format parquet, or let its name end in .parquet")),
    (r"(?s:.{257})ustar[\x00 ]", Content("a tar archive", f"{_UNPACK}: tar -xf FILE; for recordings end it in .tar")),
    (r"ARROW1", Content("an Arrow (Feather) file", _TABLE)),
    (r"ORC[^\w\s]", Content("ORC", _TABLE)),
    (r"Obj\x01", Content("Avro", _TABLE)),
    (r"\x89HDF", Content("HDF5", _TABLE)),
    (r"\x93NUMPY", Content("a NumPy array", _TABLE)),
    (r"\x80[\x02-\x05][\x00-\xff]", Content("a Python pickle", _TABLE)),
    (r"SQLite format 3\x00", Content("an SQLite database", _TABLE)),
    (r"%PDF-\d", Content("a PDF", "Extract its text: pdftotext FILE")),
    (r"7z\xbc\xaf\x27\x1c", Content("a 7z archive", f"{_UNPACK}: 7z x FILE")),
    (r"Rar!\x1a\x07", Content("a RAR archive", f"{_UNPACK}: unrar x FILE")),
    (r"\x04\x22\x4d\x18", Content("packed with lz4", f"{_UNPACK}: lz4 -d FILE")),
    (r"\xff\x06\x00\x00sNaPpY", Content("packed with snappy", f"{_UNPACK}: snzip -d FILE")),
    (r"\x1f[\x9d\xa0]", Content("packed with compress (.Z)", f"{_UNPACK}: uncompress FILE")),
    (r"version https://git-lfs\.github\.com/spec/", Content("a pointer of Git LFS, not the file", "Run: git lfs pull")),
    (
        r"(?:RIFF|RIFX|RF64)(?s:.{4})WAVE",
        Content("a WAV recording", "Let its name end in .wav, or set data.format wav"),
    ),
    (r"\x89PNG|\xff\xd8\xff|GIF8[79]a", Content("a picture", "Name files that hold data")),
)
# Bytes that a text may begin with, though a recording never does.
_NO_WAV: tuple[tuple[str, Content], ...] = (
    (r"fLaC", Content("FLAC", _SOUND)),
    (r"OggS", Content("Ogg (Vorbis or Opus)", _SOUND)),
    (r"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", Content("MP3", _SOUND)),
    (r"\xff[\xf0\xf1\xf8\xf9]", Content("AAC", _SOUND)),
    (r"(?s:.{4})ftyp", Content("MP4 or M4A", _SOUND)),
    (r"FORM(?s:.{4})AIF[FC]", Content("AIFF", _SOUND)),
    (r"\.snd|dns\.", Content("AU", _SOUND)),
    (r"caff", Content("CAF", _SOUND)),
    (r"\x1aE\xdf\xa3", Content("WebM or Matroska", _SOUND)),
    (r"NIST_1A", Content("NIST SPHERE", "Convert it: sph2pipe -f wav FILE NEW_FILE.wav")),
    (r"#!AMR", Content("AMR", _SOUND)),
    (r"\s*<(?i:!doctype|html|\?xml)", Content("a web page, perhaps of a download that failed", "Fetch it again")),
)
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
# Of a text, that is not packed: tab, line ends, form feed, and the escape of ISO 2022.
_CONTROLS = bytes(set(range(32)) - {9, 10, 11, 12, 13, 27})
_BINARY_SHARE = 0.1


def content_of(head: bytes, recording: bool = False) -> Content | None:
    """Returns what a file is that ought to be text, or a WAV file; None where its first bytes tell nothing."""
    text = head[:HEAD].decode("latin-1")
    known = (*_FILES, *_NO_WAV) if recording else _FILES
    return next((content for pattern, content in known if re.match(pattern, text)), None)


def not_text(head: bytes) -> str:
    """Says what a file is that ought to be text in one byte or several a character; "" where nothing speaks against it.

    Args:
        head: the first bytes, unpacked.
    """
    if content := content_of(head):
        return f"{content}."
    if encoding := wide_encoding(head):
        return f"the file is {encoding}. Convert it first: iconv -f {encoding} -t UTF-8 FILE > NEW_FILE."
    head = head[:HEAD]
    if sum(map(head.count, map(bytes, zip(_CONTROLS)))) > _BINARY_SHARE * len(head):
        return "the file is not text. Name files that hold data, or set data.format to what it is."
    return ""


def wide_encoding(head: bytes) -> str:
    """Returns UTF-16 or UTF-32, with the byte order where no mark tells it; "" for other encodings."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    head = head[: min(len(head), HEAD) // 4 * 4]
    zeros = [head[start::4].count(0) / max(len(head) // 4, 1) for start in range(4)]
    full = [share > 0.5 for share in zeros]
    orders = {
        (False, True, True, True): "UTF-32LE",
        (True, True, True, False): "UTF-32BE",
        (False, True, False, True): "UTF-16LE",
        (True, False, True, False): "UTF-16BE",
    }
    return orders.get((full[0], full[1], full[2], full[3]), "")
