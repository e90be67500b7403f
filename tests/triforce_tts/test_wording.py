"""Numbers as messages show them."""

import pytest

from triforce_tts.wording import counted, length, printable


@pytest.mark.parametrize(("count", "text"), [(0, "0 samples"), (1, "1 sample"), (2, "2 samples")])
def test_only_one_is_singular(count: int, text: str) -> None:
    assert counted(count, "sample") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.0 s"),
        (4.24, "4.2 s"),
        (59.94, "59.9 s"),
        (59.96, "1.0 min"),  # never "60.0 s"
        (90.0, "1.5 min"),
        (3599.9, "1.00 h"),
        (9000.0, "2.50 h"),
    ],
)
def test_the_unit_fits_the_length(seconds: float, text: str) -> None:
    assert length(seconds) == text


def test_names_are_one_line_of_text() -> None:
    assert printable("Café\n日本\x00 \udcff\u2028x ") == "Café 日本 ? x"
