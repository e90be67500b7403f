"""PLS lexicons: the examples of the W3C's recommendation, words whose IPA is in English dictionaries, and hostile files."""

from pathlib import Path

import pytest

from triforce_tts.errors import TextError
from triforce_tts.text.ipa import phones_of_ipa, phones_of_x_sampa
from triforce_tts.text.phonemes import Lexicon

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<lexicon version="1.0" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon" alphabet="{alphabet}" xml:lang="en-US">\n'
)


def write(folder: Path, body: str, alphabet: str = "ipa", name: str = "words.pls") -> Path:
    path = folder / name
    path.write_text(HEAD.format(alphabet=alphabet) + body + "\n</lexicon>", encoding="utf-8")
    return path


def lexeme(grapheme: str, phoneme: str, more: str = "") -> str:
    return f"<lexeme><grapheme>{grapheme}</grapheme><phoneme{more}>{phoneme}</phoneme></lexeme>"


# The IPA as dictionaries print it; the phones are those of the CMU dictionary for the same word.
@pytest.mark.parametrize(
    ("ipa", "phones"),
    [
        ("təˈmeɪtoʊ", "T AH0 M EY1 T OW0"),
        ("təˈmɑːtəʊ", "T AH0 M AA1 T OW0"),
        ("ˈdʒʌdʒ", "JH AH1 JH"),
        ("d͡ʒʌd͡ʒ", "JH AH1 JH"),
        ("ˌʌndərˈstænd", "AH2 N D ER0 S T AE1 N D"),
        ("bɝd", "B ER1 D"),
        ("bɜːd", "B ER1 D"),
        ("ˈbʌtn̩", "B AH1 T AH0 N"),
        ("ˈvɪʒən", "V IH1 ZH AH0 N"),
        ("θɪŋ", "TH IH1 NG"),
        ("ðə", "DH AH1"),
        ("bɔɪ", "B OY1"),
        ("haʊs", "HH AW1 S"),
        ("ˈju.nɪt", "Y UW1 N IH0 T"),
        ("əˈbaʊt", "AH0 B AW1 T"),
        ("bəˈnænə", "B AH0 N AE1 N AH0"),
        ("nɪə", "N IH1 R"),
        ("tʃɝtʃ", "CH ER1 CH"),
        ("t͡ʃɪp", "CH IH1 P"),
        ("kəmpjuːtɚ", "K AH0 M P Y UW1 T ER0"),
    ],
)
def test_ipa(ipa: str, phones: str) -> None:
    assert " ".join(phones_of_ipa(ipa)) == phones


@pytest.mark.parametrize(
    ("sampa", "phones"),
    [
        ('t@"meItoU', "T AH0 M EY1 T OW0"), ('"dZVdZ', "JH AH1 JH"), ('%Vnd@`"st{nd', "AH2 N D ER0 S T AE1 N D"),
        ("TIN", "TH IH1 NG"), ('"vIZ@n', "V IH1 ZH AH0 N"), ("h3`d", "HH ER1 D"), ("r\\Ed", "R EH1 D"), ("b3:d", "B ER1 D"),
        ('"bVtn=', "B AH1 T AH0 N"),
    ],
)  # fmt: skip
def test_x_sampa(sampa: str, phones: str) -> None:
    assert " ".join(phones_of_x_sampa(sampa)) == phones


@pytest.mark.parametrize("ipa", ["ʁuʒ", "ɬan", "y", "bɔ̃", "", "ˈ", "ǃ"])
def test_sounds_that_english_lacks(ipa: str) -> None:
    with pytest.raises(TextError, match=r"which has no English sound|holds no sound"):
        phones_of_ipa(ipa)


def test_sampa_that_english_lacks() -> None:
    with pytest.raises(TextError, match="'R', which is no sound of English in X-SAMPA"):
        phones_of_x_sampa("RuZ")


def test_a_lexicon_of_the_recommendation(tmp_path: Path) -> None:
    """Several spellings, a preferred pronunciation, an alias, an alphabet of its own, a comment; the first entry counts."""
    body = """<meta name="x" content="y"/>
    <lexeme><grapheme>Centre</grapheme><grapheme>center</grapheme><!-- both --><phoneme>ˈsɛntər</phoneme></lexeme>
    <lexeme><grapheme>bead</grapheme><phoneme>bɛd</phoneme><phoneme prefer="true">bid</phoneme><example>A bead.</example></lexeme>
    <lexeme><grapheme>NASA's</grapheme><alias>good cat</alias></lexeme>
    <lexeme><grapheme>odd</grapheme><phoneme alphabet="x-arpabet">AA1 D</phoneme></lexeme>
    <lexeme><grapheme>odd</grapheme><phoneme>ɪt</phoneme></lexeme>"""
    lexicon = Lexicon.load(write(tmp_path, body))
    assert lexicon.lookup("centre") == lexicon.lookup("CENTER") == ("S", "EH1", "N", "T", "ER0")
    assert lexicon.lookup("bead") == ("B", "IY1", "D")
    assert lexicon.lookup("nasa's") == ("G", "UH1", "D", "K", "AE1", "T")
    assert lexicon.lookup("odd") == ("AA1", "D")
    assert lexicon.lookup("hello") == ("HH", "AH0", "L", "OW1")
    (remark,) = lexicon.remarks  # the lexeme of "bead" says itself which of its pronunciations is preferred
    assert remark.endswith(":8: 'odd' has another pronunciation in line 7, which is spoken; remove one of them")


def test_several_lexicons_of_both_kinds(tmp_path: Path) -> None:
    """The first file that has a word decides; a form of the word follows it."""
    lines = tmp_path / "words.txt"
    lines.write_text("zyx  Z IH1 K S\n")
    pls = write(tmp_path, lexeme("zyx", "zɔɪ") + lexeme("qat", "kɑt"))
    assert Lexicon.load([lines, pls]).lookup("zyx") == ("Z", "IH1", "K", "S")
    assert Lexicon.load([pls, lines]).lookup("zyx") == ("Z", "OY1")
    assert Lexicon.load([lines, pls]).lookup("qats") == ("K", "AA1", "T", "S")
    assert Lexicon.load([lines, pls]).remarks == ()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (lexeme("rouge", "ʁuʒ"), r":3: 'rouge': 'ʁuʒ' holds 'ʁ', which has no English sound"),
        ("\n\n" + lexeme("New York", "nu"), r":5: 'new york' is not a word of letters"),
        ("<lexeme><phoneme>nu</phoneme></lexeme>", ":3: a lexeme has no grapheme"),
        ("<lexeme><grapheme>a</grapheme></lexeme>", ":3: 'a': no pronunciation"),
        ("<lexeme><grapheme>a</grapheme><alias>zzyx</alias></lexeme>", ":3: 'a': the word 'zzyx' of its alias"),
        ("<lexeme><grapheme>a</grapheme><alias> </alias></lexeme>", ":3: 'a': its alias is empty"),
        (lexeme("a", "nu", ' alphabet="x-other"'), ":3: 'a': the alphabet 'x-other' is not known, expected ipa"),
        (lexeme("a", "N UU1", ' alphabet="arpabet"'), ":3: 'a': unknown phone 'UU1'"),
        ("<lexeme>", "this is no XML"),
    ],
)
def test_bad_entries_are_one_line(body: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(TextError, match=told) as error:
        Lexicon.load(write(tmp_path, body))
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "this is no XML"),
        (b"hello  HH AH0 L OW1", "this is no XML"),
        (b"<html><body/></html>", "the XML is a 'html', expected a PLS lexicon"),
        (HEAD.format(alphabet="ipa").replace("en-US", "de-DE").encode() + b"</lexicon>", "language 'de-DE', expected English"),
        (b'<!DOCTYPE lexicon [<!ENTITY a SYSTEM "file:///etc/passwd">]><lexicon><lexeme><grapheme>a</grapheme>'
         b"<phoneme>&a;</phoneme></lexeme></lexicon>", "it has a document type"),
        (b'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><lexicon>&b;</lexicon>',
         "it has a document type"),
    ],
)  # fmt: skip
def test_files_that_are_no_lexicon(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "words.pls"
    path.write_bytes(content)
    with pytest.raises(TextError, match=told):
        Lexicon.load(path)
    with pytest.raises(TextError, match="cannot read the lexicon"):
        Lexicon.load(tmp_path / "none.pls")
