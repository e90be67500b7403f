"""Speakers of plays that pages type by classes."""

from pathlib import Path

import pytest

from tests.books import read_page, spoken
from triforce_tts.books.chapters import ReadOptions

CAPS = "".join(
    f"<p><span class='smcap'>{name}.</span> {text} <i>[Exit.]</i></p>"
    for name, text in (("Bo", "Come."), ("Ada", "No."), ("Bo", "Why?"), ("Ada", "It rains."))
)
BLOCKS = "".join(
    f"<div><p class='speaker'>{name}</p><p>{text}</p></div>"
    for name, text in (("BO", "Come."), ("ADA", "No."), ("BO", "Why?"), ("ADA", "So."))
)


@pytest.mark.parametrize("play", [CAPS, BLOCKS])
def test_names_in_small_capitals_and_in_paragraphs_of_their_own_are_speakers(play: str, tmp_path: Path) -> None:
    speeches = [block for block in read_page(tmp_path, play).blocks() if block.speaker]
    assert [block.speaker.title() for block in speeches] == ["Bo", "Ada", "Bo", "Ada"]
    dropped = spoken(read_page(tmp_path, play, ReadOptions(speakers="drop")))
    assert dropped[0].startswith("Come.")
    assert not any("Bo" in line or "Ada" in line for line in dropped)


@pytest.mark.parametrize(
    "body",
    [
        "<p><span class='smcap'>The</span> lamp.</p><p><span class='smcap'>The</span> sea.</p>",
        "<p><span class='smcap'>Fig. 1.</span> A lamp.</p><p><span class='smcap'>Fig. 2.</span> A sea.</p>",
        "".join(f"<p><span class='smcap'>{name}.</span> It is so.</p>" for name in ("Definition", "Example") * 3),
        "".join(f"<p><span class='smcap'>{name}:</span> It is so.</p>" for name in ("My dear Bo", "Of the Sea") * 3),
        "<p><span class='smcap'>Hull.</span> It rains.</p><p>It is <span class='smcap'>Ada.</span></p><p><span class='smcap'>Ada.</span></p>",
    ],
)
def test_other_words_in_small_capitals_are_text(body: str, tmp_path: Path) -> None:
    assert not any(block.speaker or block.kind == "speaker" for block in read_page(tmp_path, body).blocks())
