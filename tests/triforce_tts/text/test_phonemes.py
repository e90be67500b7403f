import re

import pytest

from triforce_tts.errors import TextError
from triforce_tts.text.normalize import normalize
from triforce_tts.text.phonemes import CONSONANTS, PHONES, VOWELS, Lexicon, parse_phones

LEXICON = Lexicon.load()


def test_the_inventory_is_the_arpabet():
    assert (len(VOWELS), len(CONSONANTS), len(PHONES)) == (15, 24, 69)
    assert len(set(PHONES)) == 69


@pytest.mark.parametrize(
    "word, phones",
    [
        ("hello", "HH AH0 L OW1"),
        ("Hello", "HH AH0 L OW1"),
        ("a", "AH0"),  # the first of two pronunciations
        ("aalborg", "AO1 L B AO0 R G"),  # the line of this word ends with a remark
        ("zzyx", None),
        ("", None),
        ("'", None),
        ("a(2)", None),
    ],
)
def test_lookup(word, phones):
    found = LEXICON.lookup(word)
    assert (" ".join(found) if found else None) == phones


def test_every_entry_holds_known_phones():
    words = ["the", "quick", "brown", "fox", "judge", "vision", "thing", "boy", "you", "look", "this"]
    assert {phone for word in words for phone in LEXICON.lookup(word)} <= set(PHONES)
    assert set(PHONES) <= {phone for entry in every_entry().values() for phone in entry}


def every_entry():
    from triforce_tts.text.phonemes import _dictionary

    return {
        word: tuple(phones.partition("#")[0].split())
        for word, _, phones in (line.partition(" ") for line in _dictionary())
    }


# The dictionary itself is the truth: entries that a rule can derive are compared with the rule's result.
@pytest.mark.parametrize("ending, least_share", [("'s", 0.94), ("s", 0.91), ("ed", 0.91), ("ing", 0.88)])
def test_derived_forms_agree_with_the_dictionary(ending, least_share):
    entries = every_entry()
    seen = agreed = 0
    for word in entries:
        if re.fullmatch(r"[a-z']+", word) and word.endswith(ending):
            derived = LEXICON._derived(word)
            if derived is None:
                continue
            listed = [entries[key] for key in (word, f"{word}(2)", f"{word}(3)") if key in entries]
            seen += 1
            agreed += loosely(derived) in map(loosely, listed)
    assert seen > 3000
    assert agreed / seen > least_share


def loosely(phones):
    # The dictionary uses both of these unstressed vowels ('boxes' AH0, 'buses' IH0).
    return tuple("AH0" if phone == "IH0" else phone for phone in phones)


@pytest.mark.parametrize(
    "word, base, end",
    [
        ("zzyx's", "zzyx", "IH0 Z"),  # a sibilant
        ("zzyxes", "zzyx", "IH0 Z"),
        ("glorp's", "glorp", "S"),
        ("glorps", "glorp", "S"),
        ("glorps'", "glorp", "S"),
        ("glorped", "glorp", "T"),
        ("glorping", "glorp", "IH0 NG"),
        ("flumming", "flum", "IH0 NG"),  # the consonant doubles
        ("flummed", "flum", "D"),
        ("skated", "skate", "IH0 D"),
        ("vloted", "vlote", "IH0 D"),
    ],
)
def test_endings_of_a_user_word(word, base, end, tmp_path):
    file = tmp_path / "lexicon.txt"
    file.write_text("zzyx Z IH1 K S\nglorp G L AO1 R P\nflum F L AH1 M\nvlote V L OW1 T\nskate S K EY1 T\n")
    lexicon = Lexicon.load(file)
    listed = lexicon.lookup(word)
    assert listed is not None
    assert listed == (*lexicon.lookup(base), *end.split())


@pytest.mark.parametrize("word", ["glorpss", "bling'", "qqed", "qqing", "vvs"])
def test_nothing_else_is_guessed(word):
    assert LEXICON.lookup(word) is None


def test_a_user_lexicon_overrides(tmp_path):
    file = tmp_path / "lexicon.txt"
    file.write_text("# mine\n\n;;; a comment\nTomato  T AH0 M AA1 T OW0\nzzyx\tZ IH1 K S\ntomato Z\n", encoding="utf-8")
    lexicon = Lexicon.load(file)
    assert lexicon.lookup("tomato") == ("T", "AH0", "M", "AA1", "T", "OW0")
    assert lexicon.lookup("zzyx") == ("Z", "IH1", "K", "S")
    assert lexicon.lookup("hello") == LEXICON.lookup("hello")


@pytest.mark.parametrize(
    "line, message",
    [
        ("tomato", "no phones given"),
        ("tomato T AH M", "unknown phone 'AH'.*nearest is 'AH1'"),
        ("tomato t", "unknown phone 't'.*nearest is 'T'"),
        ("tomato = T", "unknown phone '='.*: expected ARPAbet"),
        ("to-mato T", "'to-mato' is not a word"),
        ("tomato2 T", "'tomato2' is not a word.*give each word of it an entry"),
    ],
)
def test_a_bad_line_is_named(line, message, tmp_path):
    file = tmp_path / "lexicon.txt"
    file.write_text(f"fine F AY1 N\n{line}\n")
    with pytest.raises(TextError, match=message) as error:
        Lexicon.load(file)
    assert f"{file}:2:" in str(error.value)


def test_a_second_pronunciation_of_a_word_is_said(tmp_path):
    file = tmp_path / "lexicon.txt"
    file.write_text("a  AH0\n# b\nToday  T AH0\na  AH0\ntoday  D EY1\n")
    lexicon = Lexicon.load(file)
    assert lexicon.lookup("today") == ("T", "AH0")
    told = "'today' has another pronunciation in line 3, which is spoken; remove one of them"
    assert lexicon.remarks == (f"{file}:5: {told}",)
    file.write_text("a  AH0\na  EY1\n" + "a  AE1\n" * 9)
    assert len(Lexicon.load(file).remarks) == 6
    assert Lexicon.load(file).remarks[-1].startswith(f"{file}: 5 more pronunciations")


def test_lines_of_the_cmu_dictionary_are_read_as_they_are(tmp_path):
    file = tmp_path / "lexicon.txt"
    file.write_text("gif(2) JH IH1 F\ntoday  T AH0 # a remark\ntoday(2)  D EY1\n")
    lexicon = Lexicon.load(file)
    assert (lexicon.lookup("gif"), lexicon.lookup("today")) == (("JH", "IH1", "F"), ("T", "AH0"))
    assert lexicon.remarks == ()


@pytest.mark.parametrize("word", ["Zoë", "Zoe\u0308", "Łuŋł", "Œstrøm’s", "Москва"])
def test_a_word_with_accents_is_found_in_the_normalised_text(word, tmp_path):
    file = tmp_path / "lexicon.txt"
    file.write_text(f"{word} Z IH1 K S\n", encoding="utf-8")
    assert Lexicon.load(file).lookup(normalize(f"{word}")) == ("Z", "IH1", "K", "S")


def test_an_unreadable_lexicon_is_named(tmp_path):
    with pytest.raises(TextError, match=r"none\.txt: cannot read the lexicon"):
        Lexicon.load(tmp_path / "none.txt")
    binary = tmp_path / "binary.txt"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TextError, match=r"binary\.txt: cannot read the lexicon"):
        Lexicon.load(binary)


def test_parse_phones():
    assert parse_phones(" T  AH0 ") == ("T", "AH0")
    with pytest.raises(TextError, match="no phones"):
        parse_phones(" ")
