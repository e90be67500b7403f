"""Applying a held-out list to raw recordings."""

import pytest

from triforce_tts.data.common.heldout import HeldOut
from triforce_tts.data.common.names import letters_of, make_key
from triforce_tts.data.common.segments import UNKNOWN, Recording
from triforce_tts.data.raw.listed import Listed

SOURCES = [
    Recording("ep_1-0123abcd", "/x/ep.1.mp3", "A show", title="Episode 1: Why?", url="http://x/ep.1.mp3"),
    Recording("ep_2-0123abcd", "/x/ep.2.mp3", "A show"),
    Recording("chapter-0123abcd", "/books/kathleen/chapter.flac", "kathleen"),
]


@pytest.mark.parametrize(
    ("name", "recordings"),
    [
        ("ep_1-0123abcd", {"ep_1-0123abcd"}),
        ("ep.1.mp3", {"ep_1-0123abcd"}),
        ("ep.2", {"ep_2-0123abcd"}),
        ("Episode 1: Why?", {"ep_1-0123abcd"}),
        ("http://x/ep.1.mp3", {"ep_1-0123abcd"}),
        ("ep", set()),
        ("kathleen", set()),
    ],
)
def test_recordings_by_id_file_name_title_and_address(name: str, recordings: set[str]) -> None:
    listed = Listed.of(HeldOut(utterances=frozenset({make_key(name)})), SOURCES, [])
    assert listed.recordings == recordings
    assert listed.unmatched == (() if recordings else (make_key(name),))


def test_readers_by_folder_and_by_the_names_that_they_got() -> None:
    held = HeldOut(speakers=frozenset({"kathleen", "A show-0001", "Bob", UNKNOWN}))
    listed = Listed.of(held, SOURCES, ["A show-0000", "A show-0001", UNKNOWN])
    assert listed.recordings == {"chapter-0123abcd"}
    assert listed.speakers == {"A show-0001"}
    assert listed.unmatched == ("Bob", UNKNOWN)


def test_texts_alone_and_within_longer_ones() -> None:
    texts = frozenset(map(letters_of, ("Yes.", "The quick brown fox jumps.")))
    listed = Listed.of(HeldOut(texts=texts), SOURCES, [])
    assert listed.text_in("YES!") == "yes"
    assert listed.text_in("Yes, he said.") == ""
    assert listed.text_in("And then: the quick brown fox jumps, he said.") == "thequickbrownfoxjumps"
