import math

import pytest

from serving.errors import InvalidRequestError
from serving.rest.json_echo import echo
from serving.rest.json_exact import read_exactly
from serving.rest.json_reader import read_object, read_signature_name
from serving.rest.json_values import all_members, to_bytes, type_name


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


@pytest.mark.parametrize(
    "number", ["1e309", "-1E+309", "0e400", "0.0e310", "-0e99999999999", "9" * 400, "9" * 20_000, f"{'9' * 400}.5"]
)
def test_numbers_beyond_a_double_are_refused(number):
    body = f'{{"x": [1, {number}]}}'.encode()
    assert refusal(body) == "JSON Parse error: Number too big to be stored in double. at offset: 10"


@pytest.mark.parametrize("number", ["1e308", "0.01e309", "0e308", "0e-400", "0.0", "-0.0", "1e-9999999999", "9" * 308])
def test_numbers_within_a_double_are_read(number):
    assert read_object(f'{{"x": {number}}}'.encode()) == {"x": float(number)}


def test_tokens_of_what_is_not_finite_are_numbers():
    values = read_object(b'{"x": [NaN, Inf, Infinity, -Inf, -Infinity], "Inf": "Inf \\" Inf"}')
    assert math.isnan(values["x"][0])
    assert values["x"][1:] == [math.inf, math.inf, -math.inf, -math.inf]
    assert values["Inf"] == 'Inf " Inf'


def test_what_follows_the_first_value_is_ignored():
    assert read_object(b'{"x": 1} }, garbage \xff') == {"x": 1}


def test_a_byte_order_mark_is_skipped():
    assert read_object(b'\xef\xbb\xbf{"x": 1}') == {"x": 1}


@pytest.mark.parametrize("more", ["", ', "y": -NaN'])  # the second one takes the exact reader
def test_the_first_of_equal_keys_counts(more):
    value = read_object(f'{{"x": 1, "x": 2, "z": {{"a": [], "a": 0}}, "x": 3{more}}}'.encode())
    assert (value["x"], value["z"]) == (1, {"a": []})
    assert list(all_members(value))[:2] == [("x", 1), ("x", 2)]
    assert echo(value).startswith('{\n    "x": 1,\n    "x": 2,\n    "z": {\n        "a": [],\n        "a": 0\n    }')


def test_bytes_that_are_not_utf8_survive_in_strings():
    assert (
        to_bytes(read_object(b'{"x": "caf\xe9 \xff\\u00e9 \xed\x95\x9c"}')["x"]) == b"caf\xe9 \xff\xc3\xa9 \xed\x95\x9c"
    )


@pytest.mark.parametrize(
    ("escapes", "meaning"),
    [
        ("\\ud83d\\ude00", "😀".encode()),
        ("\\ude00", b"\xed\xb8\x80"),
        ("\\udc80\\udc80", b"\xed\xb2\x80" * 2),
        ("\\ude00\\uD83D\\uDE00", b"\xed\xb8\x80" + "😀".encode()),
        ("\\\\ud83d", b"\\ud83d"),
        ("\\\\\\ude00\\n\\/\\u0000", b"\\\xed\xb8\x80\n/\0"),
        ("\xff\\ude00", b"\xff\xed\xb8\x80"),
    ],
)
def test_escapes_of_surrogates_have_their_bytes(escapes, meaning):
    assert to_bytes(read_object(b'{"x": "%s"}' % escapes.encode("latin-1"))["x"]) == meaning


def test_half_a_surrogate_pair_behind_the_document_does_no_harm():
    assert read_object(b'{"x": "\\ud83d\\ude00"} "\\ud83d"') == {"x": "😀"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "JSON Parse error: The document is empty"),
        (b" \n", "JSON Parse error: The document is empty. at offset: 2"),
        (b"foo", "JSON Parse error: Invalid value. at offset: 1"),
        (b'{"x": tru', "JSON Parse error: Invalid value. at offset: 9"),
        (b'{"x": Nope', "JSON Parse error: Invalid value. at offset: 7"),
        (b'{"x": -Infinite', "JSON Parse error: Invalid value. at offset: 14"),
        (b'{"x": -x', "JSON Parse error: Invalid value. at offset: 7"),
        (b"}", "JSON Parse error: The document is empty. at offset: 0"),
        (b"\0{}", "JSON Parse error: The document is empty. at offset: 0"),
        (b'{"x": 1 \0}', "JSON Parse error: Missing a comma or '}' after an object member. at offset: 8"),
        (b'{"x": 01}', "JSON Parse error: Missing a comma or '}' after an object member. at offset: 7"),
        (b"{", "JSON Parse error: Missing a name for object member. at offset: 1"),
        (b'{"x"', "JSON Parse error: Missing a colon after a name of object member. at offset: 4"),
        (b'{"x":', "JSON Parse error: Invalid value. at offset: 5"),
        (b'{"x": "\\ud83d"}', "JSON Parse error: The surrogate pair in string is invalid. at offset: 7"),
        (b'{"\\ud83d\\u0041": 1}', "JSON Parse error: The surrogate pair in string is invalid. at offset: 2"),
        (b'{"x": "\\ud83d\\u12"}', "JSON Parse error: Incorrect hex digit after \\u escape in string. at offset: 7"),
        (b'{"x": "a\0"}', "JSON Parse error: Missing a closing quotation mark in string. at offset: 8"),
        (b'{"x": ?}', "JSON Parse error: Invalid value. at offset: 6"),
        (b'{"x": [1,]}', "JSON Parse error: Invalid value. at offset: 9"),
        (b'{"x": [', "JSON Parse error: Invalid value. at offset: 7"),
        (b'{"x": [1 2]}', "JSON Parse error: Missing a comma or ']' after an array element. at offset: 9"),
        (b'{"x": [1', "JSON Parse error: Missing a comma or ']' after an array element. at offset: 8"),
        (b'{"x": ["]", {}] "y"}', "JSON Parse error: Missing a comma or '}' after an object member. at offset: 16"),
        (b'{"x": 1,}', "JSON Parse error: Missing a name for object member. at offset: 8"),
        (b"{1: 2}", "JSON Parse error: Missing a name for object member. at offset: 1"),
        (b'{"x" 1}', "JSON Parse error: Missing a colon after a name of object member. at offset: 5"),
        (b'{"x": "abc}', "JSON Parse error: Missing a closing quotation mark in string. at offset: 11"),
        (b'{"x": "a\nb"}', "JSON Parse error: Invalid escape character in string. at offset: 8"),
        (b'{"x": "\\q"}', "JSON Parse error: Invalid escape character in string. at offset: 7"),
        (b'{"x": "\\u12z"}', "JSON Parse error: Incorrect hex digit after \\u escape in string. at offset: 7"),
        (b'{"x": 1.}', "JSON Parse error: Miss fraction part in number. at offset: 8"),
        (b'{"x": 1e}', "JSON Parse error: Miss exponent in number. at offset: 8"),
        (b"\xef\xbb\xbf{'x': 1}", "JSON Parse error: Missing a name for object member. at offset: 4"),
        ('{"한글": Inf, "y": ?}'.encode(), "JSON Parse error: Invalid value. at offset: 21"),
        (b"[1]", "JSON Value: [1] Is not object"),
        (b'"text"', 'JSON Value: "text" Is not object'),
    ],
)
def test_what_is_not_an_object_is_refused_in_rapidjsons_words(body, message):
    assert refusal(body) == message


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"x":', b"}")])
def test_half_a_million_levels_are_read(opening, closing):
    depth = 500_000
    body = b'{"deep": ' + opening * depth + b"1" + closing * depth + b', "x": 1}'
    assert read_object(body)["x"] == 1
    assert refusal(body[:-10]).startswith("JSON Parse error: Missing a comma or")


def test_what_the_exact_reader_takes_it_reads_as_the_fast_one_does():
    text = (
        '{"a": [1, -2, 2.5e3, true, false, null, "\\u00e9\\n", {}, []], "b": {"c": "d"}, "e": 18446744073709551616} x'
    )
    assert read_exactly(text) == read_object(text.encode())


def test_a_long_string_of_escapes_costs_no_time():
    assert refusal(b'{"x": Inf, "y": "' + b'\\"' * 500_000).endswith("at offset: 1000017")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, 2.0, None]}, '{\n    "a": [1, 2.0, null]\n}'),
        ([[1, [2]], {}, []], "[[1, [2]], {}, []]"),
        (
            [{"a": {"b": True}, "c": False}],
            '[{\n        "a": {\n            "b": true\n        },\n        "c": false\n    }]',
        ),
        ('\x1f\x00\n"\\/é\x7f', '"\\u001F\\u0000\\n\\"\\\\/é\x7f"'),
        ("\udcff", '"\udcff"'),
        ([1, math.nan, 2], "[1, "),
        ({"a": math.inf}, '{\n    "a": '),
        ([0.0, -0.0, 1.5, -100.0, 0.1], "[0.0, -0.0, 1.5, -100.0, 0.1]"),
        ([1e20, 1e21, 1.25e21, 1e22, 1.5e300], "[100000000000000000000.0, 1e21, 1.25e21, 1e22, 1.5e300]"),
        ([1e-6, 1e-7, 1.5e-6, 1.5e-7, 5e-324], "[0.000001, 1e-7, 0.0000015, 1.5e-7, 5e-324]"),
        ([2**64 - 1, -(2**63)], "[18446744073709551615, -9223372036854775808]"),
        ("x" * 1000, f'"{"x" * 1000}"'),
        (["x" * 255, 1], f'["{"x" * 255}"'),
        (["x" * 253, 1, 2], f'["{"x" * 253}", 1'),
    ],
)
def test_an_echo_has_the_layout_of_rapidjson_and_ends_with_the_token_that_passes_256_bytes(value, text):
    assert echo(value) == text


def test_an_echo_of_many_or_deep_values_ends():
    value = []
    for _ in range(100_000):
        value = [value]
    assert echo(value) == "[" * 257
    assert len(echo(list(range(1_000_000)))) < 270


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
