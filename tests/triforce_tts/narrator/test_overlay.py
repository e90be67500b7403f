"""A book to read along with is a valid epub, whose clips are the lines of the narration."""

import zipfile
from pathlib import Path

import pytest

from tests.triforce_tts.narrator.conftest import RATE, MakePlan, tones
from tests.triforce_tts.narrator.readalong import read_along
from triforce_tts.books.read import read_chapters
from triforce_tts.narrator.cover import read_cover
from triforce_tts.narrator.master import PROFILES
from triforce_tts.narrator.overlay import Book, Page, write_overlay
from triforce_tts.narrator.plan import Plan, PlannedLine
from triforce_tts.narrator.timeline import lay_out
from triforce_tts.narrator.written import written_parts


def written(plan: Plan, path: Path, silent: int = 0, **more: object) -> Path:
    lines, records = tones(plan)
    lines.folder.mkdir(exist_ok=True)
    for line in plan.lines:
        if line.number == silent:
            records[line.key] = records[line.key].model_copy(update={"samples": 0})
    parts = [part for part in plan.parts if part.lines]
    pages = [Page(part, lay_out([part], records, RATE, 0.3)) for part in parts]
    book = Book("Tom & <Jerry>", "A. & B.", "Jo", "en-GB", "2026-01-31T12:00:00Z", **more)  # type: ignore[arg-type]
    write_overlay(path, book, pages, lines, PROFILES["none"], lambda *_: None)
    return path


def test_it_is_a_valid_book_of_the_lines(plan_of: MakePlan, story: Path, tmp_path: Path) -> None:
    plan = plan_of(story)
    chapters = read_along(written(plan, tmp_path / "out.epub"))
    assert [[text for text, _, _ in lines] for lines in chapters] == [
        [" ".join(line.source.split()) for line in chapter.lines] for chapter in plan.chapters
    ]
    for lines, chapter in zip(chapters, plan.chapters, strict=True):
        for (_, begin, end), line in zip(lines[1:], chapter.lines[1:], strict=True):
            assert end - begin == pytest.approx(0.6 + line.pause_s, abs=0.002)
    assert [path for path in tmp_path.rglob("*") if "overlay" in path.name] == []


def test_equal_books_give_equal_bytes_and_another_reads_them(plan_of: MakePlan, story: Path, tmp_path: Path) -> None:
    plan = plan_of(story)
    first, second = written(plan, tmp_path / "a.epub"), written(plan, tmp_path / "b.epub")
    assert first.read_bytes() == second.read_bytes()
    again = read_chapters(first)
    assert (again.about.title, again.about.author, again.about.language) == ("Tom & <Jerry>", "A. & B.", "en-GB")
    assert [chapter.title for chapter in again.chapters] == [chapter.title for chapter in plan.chapters]
    assert [line.text for line in plan_of(first).lines] == [line.text for line in plan.lines]


def test_a_line_without_a_sound_is_shown_and_a_cover_is_kept(plan_of: MakePlan, story: Path, tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "c.png"), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.width = stream.height = 16
        stream.pix_fmt = "rgb24"
        container.mux(stream.encode(av.VideoFrame(16, 16, "rgb24")))
        container.mux(stream.encode(None))
    plan = plan_of(story)
    path = written(plan, tmp_path / "out.epub", silent=3, cover=read_cover(tmp_path / "c.png"))
    chapters = read_along(path)
    assert len(chapters[0]) == len(plan.chapters[0].lines) - 1
    with zipfile.ZipFile(path) as archive:
        assert 'id="l3"' in archive.read("EPUB/c0001.xhtml").decode()
        assert archive.read("EPUB/cover.png") == (tmp_path / "c.png").read_bytes()


LONG = (
    "In 1884, when the old man had walked for 23 miles through the rain; and when it had begun to snow on all the hills behind "
    "the town, he stopped at an inn, paid $5.50 for a bed, and slept until the 3rd of May, although the bed was hard, cold & damp."
)


def test_a_divided_sentence_is_divided_as_it_is_spoken(plan_of: MakePlan, tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text(f"{LONG} {LONG}\n\nNo. No. No.\n")
    plan = plan_of(path)
    lines = [line for line in plan.lines if line.source == LONG]
    texts = written_parts(lines)
    assert len(texts) == len(lines) >= 4
    half = len(texts) // 2
    assert " ".join(texts[:half]) == " ".join(texts[half:]) == LONG
    for text, line in zip(texts, lines, strict=True):
        assert text.split()[0].strip(",;").lower() == line.text.split()[0].lower()
    assert written_parts([line for line in plan.lines if line.source == "No."]) == ["No."] * 3
    read_along(written(plan, tmp_path / "out.epub"))


def test_a_line_that_a_user_changed_shows_what_is_said(plan_of: MakePlan, story: Path) -> None:
    line: PlannedLine = plan_of(story).lines[1].model_copy(update={"changed": True, "text": "In other words."})
    assert written_parts([line]) == ["In other words."]


def test_phones_are_shown_in_letters(plan_of: MakePlan, tmp_path: Path) -> None:
    path = tmp_path / "book.md"
    long = ", ".join(f"he ate {number} of the {{T AH0 M EY1 T OW0}}s" for number in range(2, 30))
    path.write_text(f"# {{T AH0 M EY1 T OW0}}\n\nA {{T AH0 M EY1 T OW0}}, he said.\n\nThen {long}.\n")
    plan = plan_of(path)
    assert plan.chapters[0].title == "tuh-may-toh"
    heading, first, *rest = (text for block in plan.chapters[0].blocks for text in written_parts(block.lines))
    assert heading == "tuh-may-toh"
    assert first == "A tuh-may-toh, he said."
    assert len(rest) > 1
    assert " ".join(rest) == f"Then {long}.".replace("{T AH0 M EY1 T OW0}", "tuh-may-toh")
    line = plan.lines[1].model_copy(update={"changed": True})
    assert written_parts([line]) == ["A tuh-may-toh, he said."]
