"""Sections around the story are skipped by the same rules in text, Markdown, HTML and within the pages of an epub."""

from pathlib import Path

import pytest

from tests.books import entry, make_epub, read_text, reasons, spoken
from triforce_tts.books.read import read_chapters

PARAGRAPH = """The lamp was lit before nine, and it stood in the lighthouse on the
quay, where the keeper, who was an old and very quiet man, had met the
visitor in the afternoon of the storm.
"""
STORY = "\n".join([PARAGRAPH] * 12)
ABOUT = "Ada North lives in Hull with two cats."
PLAIN = f"CHAPTER I\n\n{STORY}\n\nCHAPTER II\n\n{STORY}\n\n\n"
PAGE = "".join(f"<p>{PARAGRAPH}</p>" for _ in range(12))


@pytest.mark.parametrize(
    "name, text",
    [
        ("x.txt", f"{PLAIN}ABOUT THE AUTHOR\n\n{ABOUT}\n"),
        ("x.txt", f"{PLAIN}About the Author.\n\n{ABOUT}\n\nABOUT THE PUBLISHER\n\nHull Books.\n"),
        ("x.txt", f"THE LAMP\n\n{STORY}\n\n\nAbout the Author\n\n{ABOUT}\n"),
        ("x.txt", f"{PLAIN}ACKNOWLEDGMENTS\n\nThanks to the dog.\n\n\nABOUT THE AUTHOR\n\n{ABOUT}\n"),
        ("x.txt", f"{PLAIN}ALSO BY THE AUTHOR\n\nHull with two cats.\n\nThe Sand\n"),
        (
            "x.html",
            f"<h2>Chapter 1</h2>{PAGE}<h2>Chapter 2</h2>{PAGE}<h2>About this digital edition</h2><p>It is from Hull, hull.org.</p>",
        ),
        ("x.md", f"# Chapter 1\n\n{STORY}\n\n# Chapter 2\n\n{STORY}\n\n## About the author\n\n{ABOUT}\n"),
        ("x.md", f"# The Lamp\n\n{STORY}\n\n# The Sea\n\n{STORY}\n\n**About the Author**\n\n{ABOUT}\n"),
        ("x.html", f"<h2>Chapter 1</h2>{PAGE}<h2>Chapter 2</h2>{PAGE}<h2>About the Author</h2><p>{ABOUT}</p>"),
        ("x.html", f"<article><h1>The Lamp</h1>{PAGE}<h3>About the author</h3><p>{ABOUT}</p></article>"),
    ],
)
def test_what_stands_behind_the_story_is_skipped(name: str, text: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, name, text)
    assert "Hull" in reasons(book)["back matter"]
    assert not any("Hull" in line for line in spoken(book))
    assert all("bout" not in chapter.title for chapter in book.chapters)


@pytest.mark.parametrize(
    "text",
    [
        f"CHAPTER I\n\n{STORY}\n\nABOUT THE AUTHOR\n\n{ABOUT}\n\nCHAPTER II\n\n{STORY}\n",
        f"{PLAIN}ABOUT THE AUTHOR\n\n{STORY}\n{STORY}\n{STORY}\n{ABOUT}\n",
        f"{PLAIN}ALSO BY IVO STERN\n\n{ABOUT}\n",
        f"{PLAIN}AFTERWORD\n\n{ABOUT}\n",
        f"{PLAIN}He told us about the author.\n\n{ABOUT}\n",
    ],
)
def test_what_belongs_to_the_story_is_spoken(text: str, tmp_path: Path) -> None:
    assert any(ABOUT in line for line in spoken(read_text(tmp_path, "x.txt", text)))


TOLD = "She shut the book and looked at the sea.\n\nIt was late, and nobody came.\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{PLAIN}ABOUT THE AUTHOR\n\nThe rain had come back to the quay.\n\n{TOLD}",
        f"{PLAIN}About the Author\n\n{ABOUT}\n\n{TOLD}",
        f"THE LAMP\n\n{STORY}\n\n\nTHE SEA\n\n{STORY}\n\n\nABOUT THE AUTHOR\n\nNobody had seen him since June.\n",
    ],
)
def test_a_short_story_about_the_author_is_spoken(text: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.txt", text)
    assert "back matter" not in reasons(book)


def test_a_short_last_story_of_an_epub_is_spoken(tmp_path: Path) -> None:
    last = "<h2>About the Author</h2><p>Nobody had seen him since June, and the lamp was out.</p>"
    pages = {"a.xhtml": f"<h2>The Lamp</h2>{PAGE}", "b.xhtml": f"<h2>The Sea</h2>{PAGE}", "c.xhtml": last}
    contents = entry("The Lamp", "a.xhtml") + entry("The Sea", "b.xhtml") + entry("About the Author", "c.xhtml")
    book = read_chapters(make_epub(tmp_path / "x.epub", pages, contents))
    assert book.chapters[-1].title == "About the Author"


def test_a_section_of_the_last_chapter_is_spoken_if_the_chapter_goes_on(tmp_path: Path) -> None:
    text = f"# One\n\n{STORY}\n\n# Two\n\n{STORY}\n\n## About the author\n\n{ABOUT}\n\n## More\n\n{STORY}\n"
    assert ABOUT in spoken(read_text(tmp_path, "x.md", text))


def test_an_epilogue_without_a_heading_is_not_taken_for_words_about_the_author(tmp_path: Path) -> None:
    text = f"# One\n\n{STORY}\n\n# Two\n\n{STORY}\n\nAbout the Author\n\n{ABOUT}\n\nEpilogue\n\nAll was well.\n"
    assert "All was well." in spoken(read_text(tmp_path, "x.md", text))


def test_a_section_at_the_end_of_a_page_of_an_epub_is_skipped(tmp_path: Path) -> None:
    last = f"<h2>Two</h2>{PAGE}<h3>About the Author</h3><p>{ABOUT}</p>"
    pages = {"a.xhtml": f"<h2>One</h2>{PAGE}", "b.xhtml": last}
    path = make_epub(tmp_path / "x.epub", pages, entry("One", "a.xhtml") + entry("Two", "b.xhtml"))
    assert reasons(read_chapters(path))["back matter"] == f"About the Author {ABOUT}"
