"""Stories of the web as their sites and programs write them: facts around a story, links between chapters, rows of letters."""

from pathlib import Path

import pytest

from tests.books import entry, make_epub, outline, point, read_page, read_text, reasons, spoken
from triforce_tts.books.read import read_chapters

FACTS = (
    "Salt\n\nby quillpen\n\n\nCategory:           Original\nStatus:             Completed\nPublished:          2019-03-02\n"
    "Words:              4,012\nStory URL:          https://www.fanfiction.net/s/1/\nSummary:            A goose and a debt.\n\n\n"
)
PROSE = "The ferryman's daughter had mended the copper kettle, and nobody in the lane could say why she laughed."
POSTED = (
    '<p class="message"><b>Salt</b><br/>Posted originally on the <a href="http://archiveofourown.org/">Archive of Our Own</a> at '
    '<a href="http://archiveofourown.org/works/1">http://archiveofourown.org/works/1</a>.</p><div class="meta"><dl class="tags">'
    "<dt>Rating:</dt><dd>General Audiences</dd><dt>Archive Warnings:</dt><dd>None</dd><dt>Stats:</dt><dd>Words: 4012</dd></dl>"
    '<h1>Salt</h1><div class="byline">by <a rel="author" href="http://a">quillpen</a></div><p>Summary</p>'
    "<blockquote><p>A goose and a debt.</p></blockquote></div>"
)
COMMENT = '<p>Please <a href="http://a">drop by the Archive and comment</a> to let the creator know if you enjoyed their work!</p>'


def test_the_facts_that_a_program_wrote_around_a_story_are_skipped(tmp_path: Path) -> None:
    chapters = "".join(
        f"\t{n}. {title}\n\n\n{PROSE}\n\n{(PROSE + ' ') * 8}\n\n\n" for n, title in ((1, "The Ebb"), (2, "The Flood"))
    )
    book = read_text(tmp_path, "salt.txt", FACTS + chapters)
    assert [title for title, _ in outline(book)] == ["1. The Ebb", "2. The Flood"]
    assert reasons(book)["front matter"].startswith("Salt by quillpen Category: Original")
    form = "Rating: poor\nStatus: lost\nWords: none\nChapters: one\n\nShe read the form twice."
    assert reasons(read_text(tmp_path, "form.txt", form)) == {}


def test_the_facts_of_an_archive_are_skipped_and_the_authors_words_are_read(tmp_path: Path) -> None:
    pages = {
        "a.xhtml": POSTED,
        "b.xhtml": f"<h2>Chapter 1: The Ebb</h2><p>It was posted originally on the Archive of Our Own.</p><p>{PROSE}</p>",
        "c.xhtml": f"<h2>Afterword</h2>{COMMENT}",
    }
    ncx = point("Preface", "a.xhtml") + point("Chapter 1: The Ebb", "b.xhtml") + point("Afterword", "c.xhtml")
    book = read_chapters(make_epub(tmp_path / "b.epub", pages, ncx=ncx))
    assert outline(book) == [
        ("Preface", "Salt / by quillpen / Summary / A goose and a debt."),
        ("Chapter 1: The Ebb", f"Chapter 1: The Ebb / It was posted originally on the Archive of Our Own. / {PROSE}"),
    ]
    assert "Rating: General Audiences" in reasons(book)["front matter"]
    assert reasons(book)["back matter"].startswith("Afterword Please drop by the Archive")


def test_a_heading_of_a_chapter_is_read_whatever_the_class_around_it(tmp_path: Path) -> None:
    body = "".join(
        f'<div class="meta group"><h2 class="heading">Chapter {n}: {title}</h2></div><div class="userstuff"><p>{PROSE}</p></div>'
        for n, title in ((1, "The Ebb"), (2, "The Flood"))
    )
    book = read_text(tmp_path, "salt.html", f"<html><body>{body}</body></html>")
    assert [title for title, _ in outline(book)] == ["Chapter 1: The Ebb", "Chapter 2: The Flood"]


def test_links_to_other_chapters_are_skipped_and_words_that_look_like_them_are_read(tmp_path: Path) -> None:
    links = '<div><a class="btn" href="a.xhtml">« Previous Chapter</a><a href="toc.xhtml">Contents</a> | <a href="c.xhtml">Next</a></div>'
    book = read_page(tmp_path, f"<h1>One</h1>{links}<p>{PROSE}</p>{links}")
    assert outline(book) == [("One", f"One / {PROSE}")]
    assert "Previous Chapter" in reasons(book)["navigation"]
    text = (
        '<h1><a href="#t">Next</a></h1><p>Who is <a href="#n">next</a>?</p><p>“<a href="b.html">Next</a>,” she said.</p>'
        '<ul><li><a href="#a">Home</a></li><li><a href="#b">Last</a></li></ul>'
    )
    assert spoken(read_page(tmp_path, text)) == ["Next", "Who is next?", "“Next,” she said.", "Home", "Last"]


@pytest.mark.parametrize("row", ["oOo", "-o0o-", "xXx", "~ o ~", "OoOoO", "--xxx--"])
def test_rows_of_letters_between_scenes_are_breaks(tmp_path: Path, row: str) -> None:
    book = read_text(tmp_path, "a.md", f"# One\n\nThe end of it.\n\n{row}\n\nThe next day.\n")
    assert spoken(book) == ["One", "The end of it.", "***", "The next day."]
    assert reasons(book) == {"markup": row}


@pytest.mark.parametrize("word", ["Ooo!", "XXX", "xoxo", "OXO", "O X O", "0", "x", "Xxx", "x x x"])
def test_numbers_sounds_and_kisses_are_read(tmp_path: Path, word: str) -> None:
    assert spoken(read_text(tmp_path, "a.md", f"# One\n\nCome soon.\n\n{word}\n\nAda.\n"))[2] == word


def test_the_page_with_title_and_author_in_one_line_is_a_title_page(tmp_path: Path) -> None:
    facts = "<div><b>Category:</b> Original<br/><b>Published:</b> 2019<br/><b>Words:</b> 12<br/><b>Story URL:</b> http://a.org/s<br/></div>"
    pages = {
        "t.xhtml": f"<h3><a href='http://a.org'>The Lamp</a> by <a href='http://b.org'>Ada Nobody</a></h3>{facts}",
        "a.xhtml": f"<h3>1. The Ebb</h3><p>{PROSE}</p>",
    }
    metadata = "<dc:title>The Lamp</dc:title><dc:creator>Ada Nobody</dc:creator>"
    book = read_chapters(make_epub(tmp_path / "b.epub", pages, entry("1. The Ebb", "a.xhtml"), metadata=metadata))
    assert [title for title, _ in outline(book)] == ["1. The Ebb"]
    pages["t.xhtml"] = "<p>The Lamp by Ada Nobody was lost.</p>"
    book = read_chapters(make_epub(tmp_path / "b.epub", pages, entry("1. The Ebb", "a.xhtml"), metadata=metadata))
    assert spoken(book)[0] == "The Lamp by Ada Nobody was lost."


def test_the_page_about_the_author_may_begin_with_signs(tmp_path: Path) -> None:
    metadata = "<dc:title>The Lamp</dc:title><dc:creator>Ada Nobody</dc:creator>"
    end = "<p>###</p><p><b>About the author:</b></p><p>Ada Nobody lives in Norfolk and writes about geese.</p>"
    pages = {"a.xhtml": f"<h1>Chapter 1</h1><p>{PROSE}</p><p>{PROSE}</p>", "b.xhtml": end}
    book = read_chapters(make_epub(tmp_path / "b.epub", pages, entry("Chapter 1", "a.xhtml"), metadata=metadata))
    assert [title for title, _ in outline(book)] == ["Chapter 1"]
    assert "lives in Norfolk" in reasons(book)["back matter"]


def test_text_that_stands_beside_the_facts_of_a_download_is_read(tmp_path: Path) -> None:
    facts = "Category: Original<br/>Words: 12<br/>Published: 2019<br/>Story URL: https://a.org/1"
    below = f"<html><body><p>{facts}<br/>Summary: A goose and a debt.<br/>{PROSE}</p><p>{PROSE}</p></body></html>"
    assert PROSE in spoken(read_text(tmp_path, "below.html", below))[0]
    typed = facts.replace("<br/>", "\n")
    above = f"Salt\n\nby quillpen\n\nFor my mother.\n\n{typed}\n\nSeries: {PROSE}\n\n{PROSE}\n"
    texts = spoken(read_text(tmp_path, "above.txt", above))
    assert texts == ["Salt", "by quillpen", "For my mother.", f"Series: {PROSE}", PROSE]
    novel = f"CHAPTER 1\n\n{PROSE * 4}\n\n{typed}\n\n{PROSE}\n\nCHAPTER 2\n\n{PROSE}\n"
    assert "front matter" not in reasons(read_text(tmp_path, "novel.txt", novel))
    apart = facts.replace("<br/>", "\n\n")
    book = read_text(tmp_path, "title.md", f"# Salt\n\n{apart}\n\n{PROSE}\n")
    assert outline(book) == [("Salt", f"Salt / {PROSE}")]


def test_a_title_or_a_speech_that_is_a_link_is_read(tmp_path: Path) -> None:
    speech = f"<h1>One</h1><p>“<a href='#n'>Next!</a>”</p><p>{PROSE}</p>"
    assert spoken(read_page(tmp_path, speech)) == ["One", "“Next!”", PROSE]
    title = f"<p><a href='toc.xhtml'>First Story</a></p><p>{PROSE}</p>"
    assert spoken(read_page(tmp_path, title)) == ["First Story", PROSE]
    term = f"<dl><dt><a href='#n'>Next</a></dt><dd>{PROSE}</dd></dl>"
    assert spoken(read_page(tmp_path, term))[0].startswith("Next")
    heading = f"<div><h2><a href='a.xhtml'>Home</a></h2><p><a href='b.xhtml'>Next</a></p></div><p>{PROSE}</p>"
    assert spoken(read_page(tmp_path, heading)) == ["Home", PROSE]


@pytest.mark.parametrize("sound", ["...Ooooo...", "_ooo_", "*xxx*", "- 00 -", "...000..."])
def test_sounds_in_italics_and_words_that_trail_off_are_read(tmp_path: Path, sound: str) -> None:
    book = read_text(tmp_path, "a.txt", f"CHAPTER 1\n\nThe end.\n\n{sound}\n\nThe next day.\n\nCHAPTER 2\n\n{PROSE}\n")
    assert "markup" not in reasons(book)
