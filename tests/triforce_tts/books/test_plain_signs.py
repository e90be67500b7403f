"""Signs of text files for what print shows, and text that looks like them."""

from pathlib import Path

import pytest

from tests.books import read_text, spoken


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("It is =bold= and +spaced+ and ~small~, _so_.", "It is bold and spaced and small, so."),
        ("=A Lamp.= It was “=lit=,” he said.", "A Lamp. It was “lit,” he said."),
        ("It is =very\nbold= here.", "It is very bold here."),
        ("M^r. Hale of y^e town, N^o. 5, the 4^{th} in 4^{to}.", "Mr. Hale of ye town, No. 5, the 4th in 4to."),
        ("A man[oe]uvre, co[:o]perate, caf[e'] and t[=o]ge.", "A manoeuvre, coöperate, café and tōge."),
        ("He was <i>very</i> old.", "He was very old."),
    ],
)
def test_signs_for_what_print_shows_are_silent(text: str, line: str, tmp_path: Path) -> None:
    assert [" ".join(block.split()) for block in spoken(read_text(tmp_path, "x.txt", text))] == [line]


@pytest.mark.parametrize(
    "text",
    [
        "He wrote 2 + 2 = 4 and x=y+1=z.",
        "It is x^2 and 10^{-3}.",
        "About ~5 of them, ~6 at most.",
        "He [so] said [a] thing.",
        "It is a < b > c.",
        "Here e^x is 2^n times x^{n}.",
        "He took s[:k] and a[n:] of it, and [a:] is long.",
    ],
)
def test_what_only_looks_like_signs_is_read(text: str, tmp_path: Path) -> None:
    assert spoken(read_text(tmp_path, "x.txt", text)) == [text]
