"""Collections of stories by several authors, plays with a list of characters, and other small forms of typed books."""

from pathlib import Path

import pytest

from tests.books import entry, make_epub, outline, read_page, read_text, reasons, spoken
from triforce_tts.books.read import read_chapters

PROSE = "The ferryman's daughter had mended the copper kettle, and nobody in the lane could say why she laughed at it so long. "


@pytest.mark.parametrize("between", ["  . . .  _{}_", "          {}", ", by {}", "........{}"])
def test_the_contents_of_a_collection_name_the_authors_behind_the_titles(tmp_path: Path, between: str) -> None:
    stories = {"The Grey Geese": "Ruth Harker", "Umbrella": "Tobias de Pell", "Salt": "J. P. Venn"}
    contents = "".join(f"{title.upper()}{between.format(author)}\n" for title, author in stories.items())
    texts = "".join(
        f"{title.upper()}\n\nBY {author.upper()}\n\n{PROSE * 6}\n\n\n\n" for title, author in stories.items()
    )
    book = read_text(tmp_path, "stories.txt", f"CONTENTS\n\n{contents}\n\n\n{texts}")
    assert [title for title, _ in outline(book)] == ["THE GREY GEESE", "UMBRELLA", "SALT"]


def test_by_inside_a_title_names_no_author(tmp_path: Path) -> None:
    titles = ["Passed by Moonlight", "Down by the River", "Stand By Me"]
    contents = "".join(f"  {title}\n" for title in titles)
    texts = "".join(f"{title.upper()}\n\n{PROSE * 6}\n\nStand\n\n{PROSE}\n\n\n\n" for title in titles)
    book = read_text(tmp_path, "stories.txt", f"CONTENTS\n\n{contents}\n\n\n{texts}")
    assert [title for title, _ in outline(book)] == [title.upper() for title in titles]


def test_a_play_may_list_its_characters(tmp_path: Path) -> None:
    scene = "".join(f"{name}: I {verb} the kettle.\n\n" for name, verb in (("ADA", "mended"), ("TOM", "sold")) * 3)
    play = f"CHARACTERS\n\nADA, a painter\nTOM, her brother\n\nACT ONE\n\n{scene}ACT TWO\n\n{scene}"
    book = read_text(tmp_path, "play.txt", play)
    assert [(chapter.title, chapter.front) for chapter in book.chapters] == [
        ("CHARACTERS", True),
        ("ACT ONE", False),
        ("ACT TWO", False),
    ]
    story = f"CHAPTER 1\n\n{PROSE}\n\nCharacters.\n\n{PROSE}\n\nCHAPTER 2\n\n{PROSE}"
    assert [title for title, _ in outline(read_text(tmp_path, "a.txt", story))] == ["CHAPTER 1", "CHAPTER 2"]


def test_words_divided_at_the_ends_of_narrow_lines_are_joined(tmp_path: Path) -> None:
    narrow = "The ferryman was won-\nderfully kind to the\nsexton, who had mis-\ntaken him."
    wide = "\n".join([PROSE[:70]] * 4)
    book = read_text(tmp_path, "a.txt", f"CHAPTER 1\n\n{wide}\n\n{narrow}\n\nCHAPTER 2\n\n{wide}\n")
    assert "The ferryman was wonderfully kind to the sexton, who had mistaken him." in spoken(book)


def test_the_title_of_the_book_above_its_first_chapter_begins_no_chapter(tmp_path: Path) -> None:
    body = f"<p>The Long Ladder</p><p>Ada Nobody</p><h1 id='a'>Chapter 1</h1><p>{PROSE}</p><h1 id='b'>Chapter 2</h1><p>{PROSE}</p>"
    toc = entry("Chapter 1", "a.xhtml#a") + entry("Chapter 2", "a.xhtml#b")
    book = read_chapters(make_epub(tmp_path / "b.epub", {"a.xhtml": body}, toc))
    assert [title for title, _ in outline(book)] == ["Chapter 1", "Chapter 2"]
    assert spoken(book)[:3] == ["The Long Ladder", "Ada Nobody", "Chapter 1"]
    long = body.replace("Ada Nobody", PROSE)
    assert len(read_chapters(make_epub(tmp_path / "b.epub", {"a.xhtml": long}, toc)).chapters) == 3


def test_the_heading_above_notes_of_a_class_is_a_note(tmp_path: Path) -> None:
    notes = "".join(
        f"<dt id='n{n}' class='footnote'>[<a href='#b{n}'>←{n}</a>]</dt><dd><p>Remark {n}.</p></dd>" for n in (1, 2)
    )
    text = "".join(f"<p>{PROSE}<sup><a href='#n{n}' id='b{n}'>{n}</a></sup></p>" for n in (1, 2))
    book = read_page(tmp_path, f"<h1>One</h1>{text}<h2>Notes</h2><!-- Notes --><dl class='footnotes'>{notes}</dl>")
    assert spoken(book) == ["One", PROSE.strip(), PROSE.strip()]
    assert reasons(book)["note"].startswith("Notes")


def test_coloured_code_is_silent_and_verse_of_that_class_is_read(tmp_path: Path) -> None:
    code = '<div class="highlight"><pre><span></span><span class="n">honk</span>()</pre></div>'
    verse = '<div class="highlight"><pre>The sea is wide,\nThe night is long.</pre></div>'
    book = read_page(tmp_path, f"<h1>One</h1>{code}{verse}")
    assert spoken(book) == ["One", "The sea is wide,\nThe night is long."]


def test_a_line_that_only_holds_by_is_no_author(tmp_path: Path) -> None:
    body = f"<article><h1>Salt</h1><p>Stand by Me</p><p>by Ruth Harker</p><p>{PROSE * 3}</p></article>"
    assert spoken(read_text(tmp_path, "a.html", f"<html><body>{body}</body></html>"))[:2] == ["Salt", "Stand by Me"]


def test_what_divides_and_ends_a_text_of_markdown(tmp_path: Path) -> None:
    text = (
        "# One\n\n{blurb, class: tip}\nMind the dog.\n{/blurb}\n\nThey wrote it on the wall.\n\n#FreeAda #NeverAgain\n"
    )
    assert spoken(read_text(tmp_path, "a.md", text)) == [
        "One",
        "Mind the dog.",
        "They wrote it on the wall.",
        "#FreeAda #NeverAgain",
    ]
    assert spoken(read_text(tmp_path, "b.md", "# One\n\nThe end.\n\n#draft #novel\n")) == ["One", "The end."]


def test_characters_are_a_heading_only_above_the_first_act(tmp_path: Path) -> None:
    titled = f"CHAPTER 1\n\nCHARACTERS\n\n{PROSE * 5}\n\nCHAPTER 2\n\nPLOT\n\n{PROSE * 5}\n"
    assert [title for title, _ in outline(read_text(tmp_path, "a.txt", titled))] == [
        "CHAPTER 1: CHARACTERS",
        "CHAPTER 2: PLOT",
    ]
    book = read_text(tmp_path, "a.md", f"# Characters\n\n{PROSE}\n\n# Plot\n\n{PROSE}\n")
    assert [(chapter.title, chapter.front) for chapter in book.chapters] == [("Characters", False), ("Plot", False)]


def test_an_entry_that_stands_in_the_text_names_no_author(tmp_path: Path) -> None:
    titles = ["KILLED BY CAPTAIN HOOK", "SAVED BY SIR PERCY"]
    texts = "".join(f"{title}\n\n{PROSE * 6}\n\n{title.split()[0].title()}\n\n{PROSE}\n\n\n\n" for title in titles)
    book = read_text(
        tmp_path, "a.txt", "CONTENTS\n\n" + "".join(f"  {title.title()}\n" for title in titles) + f"\n\n\n{texts}"
    )
    assert [title for title, _ in outline(book)] == titles


def test_verse_with_hyphens_at_the_ends_of_its_lines_keeps_these(tmp_path: Path) -> None:
    wide = "\n".join([PROSE[:70]] * 4)
    verse = "we waited long-\nuntil the light was gone-\nand nobody came\nto the lane"
    book = read_text(tmp_path, "a.txt", f"CHAPTER 1\n\n{wide}\n\n{verse}\n\nCHAPTER 2\n\n{wide}\n")
    assert verse in spoken(book)


def test_text_between_the_notes_of_two_scenes_is_read(tmp_path: Path) -> None:
    def scene(n: int) -> str:
        note = f"<p id='f{n}'><a href='#r{n}'>{n}</a> Remark {n}.</p><p>{PROSE}</p>"
        return f"<p>Scene {n}.<a href='#f{n}' id='r{n}'><sup>{n}</sup></a></p><div class='footnotes'>{note}</div>"

    book = read_page(tmp_path, f"<h1>One</h1>{scene(1)}<p>Between them.</p>{scene(2)}<p>After.</p>")
    assert spoken(book) == ["One", "Scene 1.", "Between them.", "Scene 2.", "After."]


@pytest.mark.parametrize("begin", ["<span></span>", '<span style="font-style: italic">Dear Tom,</span>\n'])
def test_a_letter_in_a_box_of_code_without_colours_is_read(tmp_path: Path, begin: str) -> None:
    letter = f'<div class="highlight"><pre>{begin}The sea is wide, and the night is long.\nNobody comes home again.</pre></div>'
    book = read_page(tmp_path, f"<h1>One</h1>{letter}")
    assert "code" not in reasons(book)
    assert "The sea is wide" in spoken(book)[1]
