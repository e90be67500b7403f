"""Phones as a reader sees them."""

import pytest

from triforce_tts.text.arpabet import PHONES
from triforce_tts.text.respelling import readable, respelled


@pytest.mark.parametrize(
    ("phones", "shown"),
    [
        ("T AH0 M EY1 T OW0", "tuh-may-toh"),
        ("L EH1 D", "led"),
        ("K AE1 T", "kat"),
        ("S IH1 NG ER0", "sing-er"),
        ("P R AA1 G R EH2 S", "prah-gres"),
        ("HH AY1 L AY0 T", "high-light"),
        ("JH", "j"),
        ("IH0 N D EH1", "in-deh"),
        ("K AO1 R N ER0", "kawr-ner"),
    ],
)
def test_words_are_shown_as_they_sound(phones: str, shown: str) -> None:
    assert respelled(tuple(phones.split())) == shown


def test_every_phone_has_letters() -> None:
    assert all(respelled((phone,)).isalpha() for phone in PHONES)


def test_only_phones_are_replaced() -> None:
    text = "A {T AH0 M EY1 T OW0}'s {x} and $x^{K}$, {K IY1}"
    assert readable(text) == "A tuh-may-toh's {x} and $x^{K}$, kee"
