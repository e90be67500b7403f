import random

import pytest
import torch

from triforce_tts.errors import TextError
from triforce_tts.text.phonemes import PHONES, Lexicon
from triforce_tts.text.tokenizer import SYMBOLS, TextTokenizer

TOKENIZER = TextTokenizer()
TEXT = "Hello, the quick brown fox jumped over a lazy dog; didn't it?"


def test_the_inventory():
    assert TOKENIZER.size == len(set(SYMBOLS)) == 1 + 8 + 27 + len(PHONES) == 105


# Change this only on purpose, and raise VERSION: every trained model depends on these ids.
def test_the_fingerprint_does_not_move():
    assert TOKENIZER.fingerprint == "659dd057476b42de"


@pytest.mark.parametrize(
    "text, decoded",
    [
        ("Hello, World!", "{HH AH0 L OW1}, {W ER1 L D}!"),
        ("zzyx", "zzyx"),
        ("say {T AH0 M}.", "{S EY1} {T AH0 M}."),
        ("the words' bowl", "{DH AH0} {W ER1 D Z} {B OW1 L}"),
        ("well-known", "{W EH1 L}-{N OW1 N}"),
        ("  two \n words ", "{T UW1} {W ER1 D Z}"),
        ("", ""),
        ("I saw a cat", "{AY1} {S AO1} {AH0} {K AE1 T}"),
        ("the U S A", "{DH AH0} {Y UW1} {EH1 S} {EY1}"),  # the name of a letter, not the article
        ("I a", "{AY1} {AH0}"),
        ("{T AH0 K}'s", "{T AH0 K S}"),
        ("{T AH0 B}'s", "{T AH0 B Z}"),
    ],
)
def test_encode(text, decoded):
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == decoded


def test_random_ids_survive_decode_and_encode():
    rng = random.Random(0)
    for _ in range(300):
        ids = [rng.randrange(TOKENIZER.size) for _ in range(rng.randrange(40))]
        while ids and ids[0] == 0:
            ids.pop(0)
        while ids and ids[-1] == 0:
            ids.pop()
        ids = [i for i, before in zip(ids, [None, *ids], strict=False) if not (i == 0 and before == 0)]
        text = TOKENIZER.decode(ids)
        if "}'s" not in text:
            assert TOKENIZER.encode(text, letters_share=1.0) == ids


def test_letters_share_draws_by_word():
    words = "the quick brown fox jumped over that lazy dog"
    text = " ".join([words] * 50)
    ids = TOKENIZER.encode(text, 0.3, torch.Generator().manual_seed(1))
    assert ids == TOKENIZER.encode(text, 0.3, torch.Generator().manual_seed(1))
    assert ids != TOKENIZER.encode(text, 0.3, torch.Generator().manual_seed(2))
    pieces = TOKENIZER.decode(ids).split("} {")
    spelled = sum(
        word.isalpha() and word.islower()
        for word in TOKENIZER.decode(ids).replace("} ", "}").split("{")
        for word in word.split("}")[-1].split()
    )
    assert len(pieces) > 100
    assert 0.2 < spelled / 450 < 0.4
    assert TOKENIZER.decode(TOKENIZER.encode(text, 1.0, torch.Generator().manual_seed(0))) == text


def test_the_draw_does_not_depend_on_the_lexicon(tmp_path):
    file = tmp_path / "lexicon.txt"
    file.write_text("zzyx Z IH1 K S\n")
    text = "zzyx fox zzyx dog fox dog " * 5
    plain = TOKENIZER.decode(TOKENIZER.encode(text, 0.5, torch.Generator().manual_seed(3)))
    richer = TextTokenizer(Lexicon.load(file))
    own = richer.decode(richer.encode(text, 0.5, torch.Generator().manual_seed(3)))
    assert own.replace("{Z IH1 K S}", "zzyx") == plain != own


def test_braces_are_never_spelled():
    ids = TOKENIZER.encode("{T AH0 M}", 1.0, torch.Generator().manual_seed(0))
    assert TOKENIZER.decode(ids) == "{T AH0 M}"


@pytest.mark.parametrize(
    "text, character", [("5 cats", "'5'"), ("naïve", "'ï'"), ("{T", "'{'"), ("a\x00b", r"'\\x00'")]
)
def test_a_text_that_was_not_normalised_is_refused(text, character):
    with pytest.raises(TextError, match=f"the character {character} in"):
        TOKENIZER.encode(text)


def test_an_unknown_phone_is_refused():
    with pytest.raises(TextError, match="unknown phone 'XX'"):
        TOKENIZER.encode("{T XX}")


@pytest.mark.parametrize(
    "text, letters",
    [
        (TEXT, "hello the quick brown fox jumped over a lazy dog didn't it"),
        ("Well-known -- 'Yes!'", "well known 'yes '"),
        ("a {T AH0} b", "a b"),
        ("", ""),
    ],
)
def test_encode_letters(text, letters):
    assert TOKENIZER.decode(TOKENIZER.encode_letters(text)) == letters


@pytest.mark.parametrize(
    "text, decoded",
    [
        # A short verb behind a word, and -in' for -ing.
        ("John'll Mary'd who'd've", "{JH AA1 N AH0 L} {M EH1 R IY0 D} {HH UW1 D AH0 V}"),
        ("fixin' whisperin'", "{F IH1 K S IH0 N} {W IH1 S P ER0 IH0 N}"),
        # Letters drawn out.
        ("noooo goood soooo", "{N OW1} {G UH1 D} {S OW1}"),
        ("whaaat looong zzz xxxx", "{W AH1 T} {L AO1 NG} zzz xxxx"),
        # A stutter repeats the first sound, but a letter before a hyphen may be a letter.
        ("w-w-what th-the y-you", "{W AH0}-{W AH0}-{W AH1 T} {DH AH0}-{DH AH0} {Y AH0}-{Y UW1}"),
        ("st-stop a-and i-i'm", "{S T AH0}-{S T AA1 P} {AH0}-{AH0 N D} {AY1}-{AY1 M}"),
        (
            "d-day t-test t-shirt S-shaped",
            "{D IY1}-{D EY1} {T IY1}-{T EH1 S T} {T IY1}-{SH ER1 T} {EH1 S}-{SH EY1 P T}",
        ),
        ("my d-b-bad", "{M AY1} {D IY1}-{B IY1}-{B AE1 D}"),
        ("the A-list, A-hunting", "{DH AH0} {EY1}-{L IH1 S T}, {AH0}-{HH AH1 N T IH0 NG}"),
    ],
)
def test_forms_that_no_dictionary_lists(text, decoded):
    tokenizer = TextTokenizer()
    assert tokenizer.decode(tokenizer.encode(text)) == decoded
