import pytest

from components.example_gen.tag_schemes import Illegal, scheme_of, to_bio

# One text with two neighbours of a type and one of another, in all schemes.
BIO = "B-x I-x B-x O B-y B-x I-x I-x".split()
IN_SCHEMES = {
    "bio": BIO,
    "iob1": "I-x I-x B-x O I-y I-x I-x I-x".split(),
    "bioes": "B-x E-x S-x O S-y B-x I-x E-x".split(),
}
BILOU = "B-x L-x U-x O U-y B-x I-x L-x".split()


@pytest.mark.parametrize("scheme", IN_SCHEMES)
def test_every_scheme_is_told_and_written_in_bio(scheme):
    assert scheme_of([["O"], IN_SCHEMES[scheme], ["O", "O"]]) == scheme
    # A few mistakes do not change that.
    assert scheme_of([IN_SCHEMES[scheme]] * 3 + [["O", "B-x", "E-y"], ["I-x", "B-y"], ["o"]]) == scheme
    assert to_bio(IN_SCHEMES[scheme], scheme) == BIO


def test_bilou_is_bioes_by_other_letters():
    assert scheme_of([BILOU]) == "bioes"
    assert to_bio(BILOU, "bioes") == BIO


def test_tags_that_mark_no_spans_stay_as_they_are():
    assert scheme_of([["DET", "NOUN"], ["VERB", "O"], ["O"]]) == "none"
    assert to_bio(["DET", "B-x", "I-y"], "none") == ["DET", "B-x", "I-y"]
    assert scheme_of([["PRON"], ["X"], ["O"], ["O"]]) == "none"
    assert scheme_of([["B-x"], ["O"], ["b-x"]]) == "bio", "one that is misspelt makes no other scheme"


def test_a_type_may_hold_hyphens_and_nothing_decides_for_bio():
    assert to_bio(["I-creative-work", "I-creative-work"], "iob1") == ["B-creative-work", "I-creative-work"]
    assert scheme_of([["O"]]) == scheme_of([]) == "bio"
    # Begun by I here and by B alone there: no iob1.
    assert scheme_of([["I-x", "O"], ["B-x", "O"]]) == "bio"


@pytest.mark.parametrize(
    ("tags", "scheme", "place", "reason"),
    [
        ("O I-x", "bio", 1, 'tag "I-x" cannot follow "O"'),
        ("B-x I-y", "bio", 1, 'tag "I-y" cannot follow "B-x"'),
        ("I-x", "bio", 0, 'tag "I-x" cannot follow the beginning'),
        ("B-x E-x", "bio", 1, '"E-x" is no tag of scheme bio'),
        ("O b-x", "bio", 1, '"b-x" is no tag'),
        ("O B-", "bio", 1, '"B-" is no tag'),
        ("O B-x", "iob1", 1, 'tag "B-x" cannot follow "O"'),
        ("I-x B-y", "iob1", 1, 'tag "B-y" cannot follow "I-x"'),
        ("B-x O", "bioes", 1, 'tag "O" cannot follow "B-x"'),
        ("S-x I-x", "bioes", 1, 'tag "I-x" cannot follow "S-x"'),
        ("B-x E-y", "bioes", 1, 'tag "E-y" cannot follow "B-x"'),
        ("B-x B-x", "bioes", 1, 'tag "B-x" cannot follow "B-x"'),
        ("O B-x I-x", "bioes", 2, 'tag "I-x" cannot stand at the end'),
    ],
)
def test_what_a_scheme_has_not_is_named_with_its_place(tags, scheme, place, reason):
    with pytest.raises(Illegal) as caught:
        to_bio(tags.split(), scheme)
    assert caught.value.place == place
    assert reason in str(caught.value)
