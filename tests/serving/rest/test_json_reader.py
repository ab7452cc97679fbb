import math

import pytest

from serving.errors import InvalidRequestError
from serving.rest.json_reader import read_object, read_signature_name
from serving.rest.json_values import echo, to_bytes, type_name


def refusal(body: bytes) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        read_object(body)
    str(caught.value).encode()  # every message can go over the wire
    return str(caught.value)


def test_an_object_becomes_plain_values():
    body = b' {"a": [1, 2.5, -3e2, true, false, null], "b": {"c": "d"}} '
    assert read_object(body) == {"a": [1, 2.5, -300.0, True, False, None], "b": {"c": "d"}}


def test_a_fraction_or_an_exponent_makes_a_float():
    kinds = [type(value) for value in read_object(b'{"x": [1, 1.0, 1e0, -7]}')["x"]]
    assert kinds == [int, float, float, int]


def test_ints_beyond_64_bits_become_floats():
    body = b'{"x": [18446744073709551615, 18446744073709551616, -9223372036854775808, -9223372036854775809]}'
    values = read_object(body)["x"]
    assert values == [2**64 - 1, 2.0**64, -(2**63), -(2.0**63)]
    assert [type(value) for value in values] == [int, float, int, float]


@pytest.mark.parametrize("digits", [400, 20_000])
def test_ints_beyond_a_double_become_infinite(digits):
    assert read_object(b'{"x": [%s, -%s]}' % ((b"9" * digits,) * 2)) == {"x": [math.inf, -math.inf]}


def test_tokens_of_what_is_not_finite_are_numbers():
    values = read_object(b'{"x": [NaN, Inf, Infinity, -Inf, -Infinity], "Inf": "Inf \\" Inf"}')
    assert math.isnan(values["x"][0])
    assert values["x"][1:] == [math.inf, math.inf, -math.inf, -math.inf]
    assert values["Inf"] == 'Inf " Inf'


def test_what_follows_the_first_value_is_ignored():
    assert read_object(b'{"x": 1} }, garbage \xff') == {"x": 1}


def test_a_byte_order_mark_is_skipped():
    assert read_object(b'\xef\xbb\xbf{"x": 1}') == {"x": 1}


def test_the_last_of_equal_keys_counts():
    assert read_object(b'{"x": 1, "x": 2}') == {"x": 2}


def test_bytes_that_are_not_utf8_survive_in_strings():
    assert (
        to_bytes(read_object(b'{"x": "caf\xe9 \xff\\u00e9 \xed\x95\x9c"}')["x"]) == b"caf\xe9 \xff\xc3\xa9 \xed\x95\x9c"
    )


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(InvalidRequestError, match="The surrogate pair in string is invalid."):
        to_bytes(read_object(b'{"x": "\\ud83d"}')["x"])
    assert to_bytes(read_object(b'{"x": "\\ud83d\\ude00"}')["x"]) == "😀".encode()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "JSON Parse error: The document is empty"),
        (b" \n", "JSON Parse error: The document is empty. at offset: 2"),
        (b"foo", "JSON Parse error: Invalid value. at offset: 0"),
        (b'{"x": ?}', "JSON Parse error: Invalid value. at offset: 6"),
        (b'{"x": [1,]}', "JSON Parse error: Invalid value. at offset: 9"),
        (b'{"x": [', "JSON Parse error: Invalid value. at offset: 7"),
        (b'{"x": [1 2]}', "JSON Parse error: Missing a comma or ] after an array element. at offset: 9"),
        (b'{"x": [1', "JSON Parse error: Missing a comma or ] after an array element. at offset: 8"),
        (b'{"x": ["]", {}] "y"}', "JSON Parse error: Missing a comma or } after an object member. at offset: 16"),
        (b'{"x": 1,}', "JSON Parse error: Missing a name for object member. at offset: 8"),
        (b"{1: 2}", "JSON Parse error: Missing a name for object member. at offset: 1"),
        (b'{"x" 1}', "JSON Parse error: Missing a colon after a name of object member. at offset: 5"),
        (b'{"x": "abc}', "JSON Parse error: Missing a closing quotation mark in string. at offset: 11"),
        (b'{"x": "a\nb"}', "JSON Parse error: Invalid encoding in string. at offset: 8"),
        (b'{"x": "\\q"}', "JSON Parse error: Invalid escape character in string. at offset: 7"),
        (b'{"x": "\\u12z"}', "JSON Parse error: Incorrect hex digit after \\u escape in string. at offset: 8"),
        (b'{"x": 1.}', "JSON Parse error: Miss fraction part in number. at offset: 8"),
        (b'{"x": 1e}', "JSON Parse error: Miss exponent in number. at offset: 8"),
        (b"\xef\xbb\xbf{'x': 1}", "JSON Parse error: Missing a name for object member. at offset: 4"),
        ('{"한글": Inf, "y": ?}'.encode(), "JSON Parse error: Invalid value. at offset: 21"),
        (b"[1]", "JSON Value: [\n    1\n] Is not object"),
        (b'"text"', 'JSON Value: "text" Is not object'),
    ],
)
def test_what_is_not_an_object_is_refused_in_rapidjsons_words(body, message):
    assert refusal(body) == message


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"x":', b"}")])
def test_half_a_million_levels_are_refused(opening, closing, closed):
    depth = 500_000
    body = b'{"instances": ' + opening * depth + b"1" + (closing * depth + b"}" if closed else b"")
    assert refusal(body).startswith("JSON Parse error: Lists and objects are nested too deep")


def test_a_long_string_of_escapes_costs_no_time():
    assert refusal(b'{"x": Inf, "y": "' + b'\\"' * 500_000).endswith("at offset: 1000017")


def test_an_echo_is_pretty_and_cut():
    assert echo({"a": [1, 2.0, None]}) == '{\n    "a": [\n        1,\n        2.0,\n        null\n    ]\n}'
    assert echo("x" * 1000) == '"' + "x" * 255
    assert len(echo("한" * 1000).encode()) <= 256
    assert len(echo(list(range(1_000_000)))) == 256


def test_an_echo_of_a_deep_value_ends():
    value = []
    for _ in range(100_000):
        value = [value]
    assert len(echo(value)) == 256


def test_an_echo_is_legal_unicode():
    assert echo("\udcff\ud83d") == '"??"'


def test_values_have_the_type_names_of_json():
    values = [None, False, True, {}, [], "", 1, 1.5]
    assert [type_name(value) for value in values] == [
        *("Null", "False", "True", "Object", "Array", "String", "Number", "Number")
    ]


def test_the_signature_name_is_a_string_or_absent():
    assert read_signature_name({}) == ""
    assert read_signature_name({"signature_name": "한"}) == "한"
    with pytest.raises(InvalidRequestError) as caught:
        read_signature_name({"signature_name": 5})
    assert str(caught.value) == (
        'JSON Value: {\n    "signature_name": 5\n} not formatted correctly. '
        "'signature_name' key must be a string value."
    )
