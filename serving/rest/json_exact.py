"""JSON read token by token as RapidJSON's iterative reader does: any depth, its errors, and where it stopped.

Python's own reader is ten times faster and takes nearly all requests; what it cannot read, or reads otherwise, comes
here.
"""

import enum
import math
import re

from serving.rest.json_values import Json, members_of

# No tensor and no echo reaches deeper: what lies below is read, and kept nowhere.
_KEPT_LEVELS = 512


class JsonError(ValueError):
    """What is wrong with a text, in RapidJSON's words, and the character at which reading stopped."""

    def __init__(self, words: str, position: int) -> None:
        super().__init__(words)
        self.words = words
        self.position = position


class _State(enum.Enum):
    """What comes next."""

    START = enum.auto()
    FIRST_NAME = enum.auto()
    NAME = enum.auto()
    COLON = enum.auto()
    VALUE = enum.auto()
    AFTER_VALUE = enum.auto()
    FIRST_ELEMENT = enum.auto()
    ELEMENT = enum.auto()
    AFTER_ELEMENT = enum.auto()
    END = enum.auto()


_MISSING = {
    _State.START: "The document is empty.",
    _State.FIRST_NAME: "Missing a name for object member.",
    _State.NAME: "Missing a name for object member.",
    _State.COLON: "Missing a colon after a name of object member.",
    _State.AFTER_VALUE: "Missing a comma or '}' after an object member.",
    _State.AFTER_ELEMENT: "Missing a comma or ']' after an array element.",
}
_INVALID = "Invalid value."
_VALUES = (_State.START, _State.VALUE, _State.FIRST_ELEMENT, _State.ELEMENT)
# Signs that need nothing else, by what comes next, and what comes then.
_SIGNS = {
    (_State.COLON, ":"): _State.VALUE,
    (_State.AFTER_VALUE, ","): _State.NAME,
    (_State.AFTER_ELEMENT, ","): _State.ELEMENT,
}
_CLOSING = {
    (_State.FIRST_NAME, "}"),
    (_State.AFTER_VALUE, "}"),
    (_State.FIRST_ELEMENT, "]"),
    (_State.AFTER_ELEMENT, "]"),
}
_INFINITE = (math.inf, -math.inf)
_LITERALS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}

_SPACE = re.compile(r"[ \t\n\r]*+")
# A word for what is not finite, or a number as far as it is right.
_NUMBER = re.compile(r"-?+(?:(NaN|Inf(?:inity|(?!i)))|(?:0|[1-9]\d*+)(\.\d*+)?([eE][-+]?+\d*+)?)?", re.ASCII)
# A word for what is not finite as far as it is right.
_CUT_WORD = re.compile(r"(?:Na?|I(?:n(?:f(?:i(?:n(?:it?)?)?)?)?)?)?")
_HEX = "[0-9a-fA-F]"
_HIGH, _LOW = f"[dD][89abAB]{_HEX}{{2}}", f"[dD][c-fC-F]{_HEX}{{2}}"
# The inside of a string as far as it is right.
_INSIDE = re.compile(
    rf'(?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u(?![dD][89abAB]){_HEX}{{4}}|\\u{_HIGH}\\u{_LOW})*+', re.DOTALL
)
_ESCAPE = re.compile(rf"\\(?:u({_HIGH})\\u({_LOW})|u({_HEX}{{4}})|(.))")
_LONE_HIGH = re.compile(rf"\\u{_HIGH}(?!\\u(?!{_HEX}{{4}}))")
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def read_exactly(text: str) -> Json:
    """Reads the first value of a text.

    Args:
        text: With surrogate escapes for bytes that are no UTF-8.

    Raises:
        JsonError: There is none.
    """
    return _Reader(text).read()


def read_number(digits: str) -> float:
    """A number that is no integer of 64 bits.

    Raises:
        OverflowError: It is beyond a double; or its exponent is, be it all zeros before.
    """
    value = float(digits)
    if (not value or value in _INFINITE) and _is_too_big(digits):
        raise OverflowError(digits)
    return value


def _is_too_big(digits: str) -> bool:
    mantissa, _, exponent = digits.lower().partition("e")
    largest = 308 + len(mantissa.partition(".")[2])
    is_beyond = not exponent.startswith("-") and int(exponent.lstrip("+0")[:9] or "0") > largest
    return is_beyond or math.isinf(float(digits))


def read_int(digits: str) -> int | float:
    """An integer where 64 bits hold it, else the nearest double.

    Raises:
        OverflowError: It is beyond that too.
    """
    if len(digits) < 19:
        return int(digits)
    value = int(digits) if len(digits) <= 20 else None
    return value if value is not None and -(2**63) <= value < 2**64 else read_number(digits)


class _Level:
    """A list or an object that is not closed yet.

    Attributes:
        is_object: Which of them.
        name: Of the member that comes next.
    """

    def __init__(self, is_object: bool, is_kept: bool) -> None:
        self.is_object = is_object
        self.name = ""
        self._is_kept = is_kept
        self._values: list[Json] = []

    def add(self, value: Json) -> None:
        if self._is_kept:
            self._values.append((self.name, value) if self.is_object else value)

    def closed(self) -> Json:
        return members_of(self._values) if self.is_object else self._values


_DROPPED = {is_object: _Level(is_object, is_kept=False) for is_object in (False, True)}


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._state = _State.START
        self._levels: list[_Level] = []
        self._value: Json = None

    def read(self) -> Json:
        while self._state is not _State.END:
            self._skip(_SPACE)
            self._step(self._text[self._position : self._position + 1])
        return self._value

    def _step(self, sign: str) -> None:
        state = self._state
        if (state, sign) in _CLOSING:
            self._position += 1
            self._finish(self._levels.pop().closed())
        elif (state, sign) in _SIGNS:
            self._position += 1
            self._state = _SIGNS[state, sign]
        elif sign == '"' and state in (_State.FIRST_NAME, _State.NAME):
            self._levels[-1].name = self._string()
            self._state = _State.COLON
        elif state in _VALUES and sign and sign not in ",:]}\0":
            self._begin_value(sign)
        else:
            raise JsonError(_MISSING.get(state, _INVALID), self._position)

    def _begin_value(self, sign: str) -> None:
        if sign in "[{":
            self._position += 1
            is_object, is_kept = sign == "{", len(self._levels) < _KEPT_LEVELS
            self._levels.append(_Level(is_object, is_kept) if is_kept else _DROPPED[is_object])
            self._state = _State.FIRST_NAME if is_object else _State.FIRST_ELEMENT
        elif sign == '"':
            self._finish(self._string())
        else:
            self._finish(self._literal(*_LITERALS[sign]) if sign in _LITERALS else self._number())

    def _finish(self, value: Json) -> None:
        if not self._levels:
            self._value, self._state = value, _State.END
            return
        level = self._levels[-1]
        level.add(value)
        self._state = _State.AFTER_VALUE if level.is_object else _State.AFTER_ELEMENT

    def _literal(self, word: str, value: Json) -> Json:
        for letter in word:
            if self._text[self._position : self._position + 1] != letter:
                raise JsonError(_INVALID, self._position)
            self._position += 1
        return value

    def _number(self) -> float:
        start, match = self._position, self._skip(_NUMBER)
        word, fraction, exponent = match.groups()
        if word:
            return float(match[0])
        digits = match[0].removeprefix("-")
        if not digits:
            self._skip(_CUT_WORD)
            raise JsonError(_INVALID, self._position)
        if fraction == ".":
            raise JsonError("Miss fraction part in number.", start + match[0].index(".") + 1)
        if exponent and not exponent[-1].isdigit():
            raise JsonError("Miss exponent in number.", self._position)
        try:
            return read_number(match[0]) if fraction or exponent else read_int(match[0])
        except OverflowError as error:
            raise JsonError("Number too big to be stored in double.", start) from error

    def _string(self) -> str:
        start = self._position = self._position + 1
        match = self._skip(_INSIDE)
        if self._text[self._position : self._position + 1] != '"':
            raise JsonError(self._fault(), self._position)
        self._position += 1
        return _ESCAPE.sub(_unescaped, match[0]) if "\\" in self._text[start : self._position] else match[0]

    def _fault(self) -> str:
        """What is wrong with a string at this place."""
        rest = self._text[self._position : self._position + 12]
        if rest.startswith("\\u"):
            if _LONE_HIGH.match(rest):
                return "The surrogate pair in string is invalid."
            return "Incorrect hex digit after \\u escape in string."
        if not rest or rest[0] == "\0":
            return "Missing a closing quotation mark in string."
        return "Invalid escape character in string."

    def _skip(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self._position)
        if match is None:
            raise RuntimeError(f"{pattern} always matches")
        self._position = match.end()
        return match


def _unescaped(match: re.Match[str]) -> str:
    high, low, alone, short = match.groups()
    if short:
        return _SHORT.get(short, short)
    if high:
        return chr(0x10000 + (int(high, 16) - 0xD800) * 0x400 + int(low, 16) - 0xDC00)
    # The lower half of a pair by itself has three bytes, which are no UTF-8.
    return chr(int(alone, 16)).encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
