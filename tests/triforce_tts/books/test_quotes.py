"""Whose speech a quotation is: by hand, sentence for sentence."""

import pytest

from tests.triforce_tts.books.quoted import CERTAIN, UNCERTAIN
from triforce_tts.books.quotes import speeches


@pytest.mark.parametrize(("text", "spoken"), CERTAIN)
def test_a_speaker_who_is_certain(text: str, spoken: list[tuple[str, str]]) -> None:
    parts = speeches(text)
    assert "".join(part.text for part in parts) == text
    assert [(part.speaker, part.text.strip('"“”‘’')) for part in parts if part.speaker] == spoken


@pytest.mark.parametrize("text", UNCERTAIN)
def test_a_speaker_who_is_not_certain(text: str) -> None:
    parts = speeches(text)
    assert "".join(part.text for part in parts) == text
    assert [part for part in parts if part.speaker] == []
