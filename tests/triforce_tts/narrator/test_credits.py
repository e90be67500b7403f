"""Credits: their own lines around the book, which change nothing of the book."""

from pathlib import Path

import pytest

from triforce_tts.books.read import read_chapters
from triforce_tts.narrator.credits import closing_credits, opening_credits
from triforce_tts.narrator.plan import Plan, Planner, Speaker, make_plan


def credited(story: Path, speaker: Speaker, title: str, author: str, narrator: str | None) -> Plan:
    planner = Planner(speaker, lambda text, occurrence: None)
    named = (opening_credits(title, author, narrator), closing_credits(title, author, narrator))
    return make_plan(read_chapters(story), [1, 3], planner, "m", "v", 15.0, credited=named)


def test_credits_stand_around_the_book_and_change_nothing_of_it(story: Path, speaker: Speaker) -> None:
    bare = make_plan(read_chapters(story), [1, 3], Planner(speaker, lambda text, occurrence: None), "m", "v", 15.0)
    plan = credited(story, speaker, "The last day came.", "Ann Poe", "Jo")
    assert [part.title for part in plan.parts] == ["Opening credits", "CHAPTER I", "CHAPTER III", "Closing credits"]
    assert [line.source for line in plan.parts[0].lines] == [
        "The last day came.",
        "Written by Ann Poe.",
        "Narrated by Jo.",
    ]
    assert [line.source for line in plan.parts[-1].lines] == [
        "This has been The last day came.", "Written by Ann Poe.", "Narrated by Jo.", "The End.",
    ]  # fmt: skip
    assert plan.chapters == bare.chapters
    assert (plan.spoken_words, plan.skipped_words) == (bare.spoken_words, bare.skipped_words)
    assert plan.credit_words == 11 + 16
    assert len({line.number for line in plan.lines}) == len(plan.lines) == len(bare.lines) + 7


@pytest.mark.parametrize(
    ("title", "author", "narrator", "opening"),
    [
        ("Who?", "", None, ["Who?", "Narrated by a synthetic voice."]),
        ("日本", "日本", "日本", ["Narrated by a synthetic voice."]),
        ("", "J. R. Poe, Jr.", None, ["Written by J. R. Poe, Jr.", "Narrated by a synthetic voice."]),
        ("A 日本 tale", "", "Jo", ["A 日本 tale.", "Narrated by Jo."]),
    ],
)
def test_what_is_not_known_is_left_out(
    title: str, author: str, narrator: str | None, opening: list[str], story: Path, speaker: Speaker
) -> None:
    plan = credited(story, speaker, title, author, narrator)
    assert [line.source for line in plan.parts[0].lines] == opening
    assert plan.lines[-1].source == "The End."
    assert not [part for part in plan.skipped if part.reason == "no English reading"]
