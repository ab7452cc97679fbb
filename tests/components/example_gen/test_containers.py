"""Recordings in every container: all of their sound, or a refusal."""

import re
import struct

import numpy as np
import pytest

from components.example_gen.readers.wav import decode
from components.example_gen.records import Unusable
from tests.components.example_gen.recordings import tone, wav_bytes

LIST = b"LIST" + struct.pack("<I", 4) + b"INFO"


def big_endian():
    """A RIFX file of 16 bits."""
    samples = np.round(tone() * 2**15).astype(">i2").tobytes()
    form = b"fmt " + struct.pack(">IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    return b"RIFX" + struct.pack(">I", 36 + len(samples)) + b"WAVE" + form + b"data" + struct.pack(">I", 1600) + samples


def sized(content, size):
    at = content.index(b"data") + 4
    return content[:at] + struct.pack("<I", size) + content[at + 4 :]


def tagged(content, size=2000, footer=False):
    """Behind an ID3 tag."""
    spread = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\0" + (b"\x10" if footer else b"\0") + spread + b"\x55" * size + b"3DI0123456" * footer + content


WAV, RF64, W64 = wav_bytes(), wav_bytes(container="RF64"), wav_bytes(container="W64")
AT = RF64.index(b"ds64") + 16
W64_AT = W64.index(b"data") + 16
WHOLE = {
    "RIFF": WAV,
    "RIFX": big_endian(),
    "RF64": RF64,
    "BW64": b"BW64" + RF64[4:],
    "W64": W64,
    "extended": wav_bytes(container="WAVEX"),
    "behind a tag": tagged(WAV),
    "behind a large tag": tagged(WAV, 300_000),
    "behind a tag with a footer": tagged(WAV, footer=True),
    "behind two tags": tagged(tagged(WAV, 20)),
    "RF64 behind a tag": tagged(RF64),
    "a list in front": WAV[:36] + LIST + WAV[36:],
    "a list behind": WAV + LIST,
    "length 0": sized(WAV, 0),
    "length 0xffffffff": sized(WAV, 0xFFFFFFFF),
    "length 0x80000000": sized(WAV, 0x80000000),
    "length 0x7fffffff": sized(WAV, 0x7FFFFFFF),
    "length of SoX": sized(WAV, 0x7FFFF000),
    "length less the header": sized(WAV, 0xFFFFFFFF - 36),
    "RF64 of no length": RF64[:AT] + bytes(8) + RF64[AT + 8 :],
    "RF64 of unknown length": RF64[:AT] + b"\xff" * 8 + RF64[AT + 8 :],
    "W64 of unknown length": W64[:W64_AT] + b"\xff" * 8 + W64[W64_AT + 8 :],
}
CUT = "cut off: the header promises 1600 bytes of sound, 1500 are there"
BROKEN = [
    *((WHOLE[name][:-100], CUT) for name in ("RIFF", "RIFX", "RF64", "BW64", "extended")),
    *(
        (WHOLE[name][:-100], CUT)
        for name in ("behind a tag", "behind two tags", "a list in front", "RF64 behind a tag")
    ),
    (W64[:-100], "cut off: the header promises 1600 bytes"),
    (WAV + WAV, "another recording follows"),
    (WAV + LIST + WAV, "another recording follows"),
    (W64 + W64, "another recording follows"),
    (sized(WAV, 1_000_000), "cut off: the header promises 1000000 bytes of sound, 1600 are there"),
    (sized(WAV, 0)[:44], "holds no samples"),
    (sized(WAV, 0)[:44] + LIST, "holds no samples"),
    (tagged(b""), "not a WAV file"),
    (wav_bytes(tone() * 32768, subtype="FLOAT"), "reach 16384, where full scale is 1.*Divide them by"),
]


@pytest.mark.parametrize("name", WHOLE)
def test_all_of_the_sound_comes_out(name):
    samples, rate, _ = decode(WHOLE[name])
    assert rate == 8000
    np.testing.assert_allclose(samples[:, 0], tone(), atol=2**-14)


@pytest.mark.parametrize(("content", "message"), BROKEN)
def test_what_is_not_whole_is_refused(content, message):
    with pytest.raises(Unusable) as caught:
        decode(content)
    assert re.search(message, str(caught.value)), caught.value


def test_loud_recordings_in_floating_point_are_read():
    samples, _, _ = decode(wav_bytes(tone(peak=6.0), subtype="FLOAT"))
    assert np.abs(samples).max() > 5.9
