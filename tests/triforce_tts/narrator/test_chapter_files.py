"""A folder with a file a chapter holds each chapter once, and whatever is the user's stays there."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.triforce_tts.narrator.conftest import STORY, MakePlan
from triforce_tts.books.read import read_chapters
from triforce_tts.narrator.chapter_files import FILES, ChapterFolder, file_names
from triforce_tts.narrator.plan import Plan

SOURCE = "/books/story.txt"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "audio"
    path.mkdir()
    return path


def finish(folder: Path, plan: Plan, suffix: str = ".mp3", source: str = SOURCE) -> list[str]:
    """Writes the chosen chapters as a narration does; returns the remarks."""
    kept, names = ChapterFolder(folder, source), file_names(plan, suffix)
    for part in plan.parts:
        path = folder / names[part.number]
        path.write_text(f"{source}: the sound of {part.title}")
        kept.note(path, part)
    return kept.clear(plan, suffix)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


@pytest.fixture
def before(plan_of: MakePlan, story: Path, folder: Path) -> Plan:
    """The plan of the story, whose files are in the folder."""
    plan = plan_of(story)
    assert finish(folder, plan) == []
    assert names(folder) == ["1 CHAPTER I.mp3", "2 CHAPTER II.mp3", "3 CHAPTER III.mp3"]
    return plan


def test_chapters_that_are_no_more_leave_the_folder(before: Plan, plan_of: MakePlan, story: Path, folder: Path) -> None:
    story.write_text(STORY[: STORY.index("CHAPTER III")].replace("CHAPTER II\n", "CHAPTER II. THE WIND\n"))
    plan = plan_of(story)
    (remark,) = finish(folder, plan)
    assert names(folder) == list(file_names(plan, ".mp3").values())
    assert len(names(folder)) == 2
    assert remark.startswith(f"{folder}: removed 2 files of earlier runs (such as '2 CHAPTER II.mp3')")
    assert finish(folder, plan) == []


def test_a_part_of_the_book_removes_nothing(before: Plan, plan_of: MakePlan, story: Path, folder: Path) -> None:
    assert finish(folder, plan_of(story, "2-3")) == []
    story.write_text("CHAPTER I\n\nA new beginning.\n\n" + STORY.replace("CHAPTER I", "CHAPTER II", 1))
    left, other = finish(folder, plan_of(story, "1"))
    assert "left 1 file of earlier runs" in left and "--chapters" in left
    assert "found 1 file of earlier runs (such as '2 CHAPTER II.mp3')" in other
    assert len(names(folder)) == 3


def test_what_is_not_of_this_narration_is_left_and_named(
    before: Plan, plan_of: MakePlan, story: Path, folder: Path
) -> None:
    (folder / "2 CHAPTER II.mp3").write_text("with other tags")
    (folder / "3 Mine.mp3").write_text("mine")
    (folder / "9 link.mp3").symlink_to("nowhere")
    (folder / "music.mp3").write_text("mine")
    finish(folder, before, ".flac")
    finish(folder, before, source="/books/other.txt")  # the same names, so these are now the files of the other book
    story.write_text(STORY[: STORY.index("CHAPTER II")])
    here = names(folder)
    (remark,) = finish(folder, plan_of(story))
    assert names(folder) == here
    assert "left 4 files (such as '2 CHAPTER II.mp3')" in remark


@pytest.mark.parametrize("content", [None, "{", '{"files": {"1 CHAPTER I.mp3": 5}}'])
def test_without_a_list_nothing_is_removed(
    content: str | None, before: Plan, plan_of: MakePlan, story: Path, folder: Path
) -> None:
    if content is None:
        (folder / FILES).unlink()
    else:
        (folder / FILES).write_text(content)
    story.write_text(STORY[: STORY.index("CHAPTER II")])
    (remark,) = finish(folder, plan_of(story))
    assert "left 2 files (such as '2 CHAPTER II.mp3')" in remark
    assert len(names(folder)) == 3


def test_a_name_in_other_capitals_may_be_the_same_file(
    before: Plan, plan_of: MakePlan, story: Path, folder: Path
) -> None:
    story.write_text(STORY.replace("CHAPTER II\n", "Chapter II\n"))
    new = folder / "2 Chapter II.mp3"
    new.hardlink_to(folder / "2 CHAPTER II.mp3")  # as on a file system that does not tell them apart
    assert finish(folder, plan_of(story)) == []
    assert new.exists()


def test_a_chapter_with_the_name_of_a_file_that_holds_another_is_named(
    before: Plan, plan_of: MakePlan, story: Path, folder: Path
) -> None:
    chapters = STORY.replace("CHAPTER I\n", "CHAPTER I\n\nThe first day came.\n\nCHAPTER II\n", 1)
    chapters = chapters.replace("CHAPTER III", "CHAPTER IV").replace("CHAPTER II\n\nAnother", "CHAPTER III\n\nAnother")
    story.write_text(chapters)
    (remark,) = finish(folder, plan_of(story, "1,4"))
    assert "found 2 files of earlier runs (such as '2 CHAPTER II.mp3')" in remark
    assert "narrate these chapters too" in remark
    assert finish(folder, plan_of(story)) == []
    assert finish(folder, plan_of(story, "1")) == []


def test_front_matter_that_is_left_out_now_keeps_its_file(plan_of: MakePlan, story: Path, folder: Path) -> None:
    book = read_chapters(story)
    book = replace(book, chapters=(replace(book.chapters[0], front=True), *book.chapters[1:]))
    finish(folder, plan_of(book))
    titled = replace(book, chapters=tuple(replace(chapter, title="A day") for chapter in book.chapters))
    finish(folder, plan_of(titled, front=False))
    assert names(folder) == ["1 CHAPTER I.mp3", "2 A day.mp3", "3 A day.mp3"]
