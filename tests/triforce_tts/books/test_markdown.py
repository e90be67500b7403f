"""Markdown as chapters: headings, what is not spoken, and that the parser's texts are those of the file."""

import time
from pathlib import Path

import pytest

from tests.books import outline, read_text, reasons, spoken
from triforce_tts.books.chapters import ReadOptions
from triforce_tts.books.markdown_notes import inline_notes
from triforce_tts.errors import TextError


def test_both_kinds_of_headings_and_their_attributes(tmp_path: Path) -> None:
    text = "One\n===\n\nA.\n\n## Smaller\n\nB.\n\n# Two {#two .chapter}\n\nC."
    book = read_text(tmp_path, "x.md", text)
    assert outline(book) == [("One", "One / A. / Smaller / B."), ("Two", "Two / C.")]
    assert reasons(book) == {"markup": "{#two .chapter}"}


def test_parts_and_a_title_are_joined_to_the_first_chapter(tmp_path: Path) -> None:
    text = "# Book\n\n## One\n\nA.\n\n## Two\n\nB."
    book = read_text(tmp_path, "x.md", text)
    assert [(chapter.title, chapter.parts) for chapter in book.chapters] == [("One", ("Book",)), ("Two", ())]
    text = "# Part I\n\n## One\n\nA.\n\n## Two\n\nB.\n\n# Part II\n\n## Three\n\nC.\n\n## Four\n\nD."
    assert [c.parts for c in read_text(tmp_path, "x.md", text).chapters] == [("Part I",), (), ("Part II",), ()]


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("# Sea\n\nby Ada\n\n## One\n\nA.\n\n## Two\n\nB.", [("One", ("Sea",)), ("Two", ())]),
        ("# Sea\n\n" + "word " * 90 + "\n\n## One\n\nA.\n\n## Two\n\nB.", [("Sea", ())]),
        ("# Chapter 1\n\nSome.\n\n## Oil\n\nA.\n\n## Wax\n\nB.", [("Chapter 1", ())]),
        ("# Sea\n\n## CHAPTER I\n\n### Sand\n\nA.\n\n## CHAPTER II\n\n### Tide\n\nB.", [("CHAPTER I: Sand", ("Sea",)), ("CHAPTER II: Tide", ())]),
        ("## I\n\n### Oil\n\nA.\n\n### Wax\n\nB.\n\n## II\n\nC.", [("I", ()), ("II", ())]),
        ("## CHAPTER I\n\n## Sand\n\nA.\n\n## CHAPTER II\n\n## Tide\n\nB.", [("CHAPTER I: Sand", ()), ("CHAPTER II: Tide", ())]),
    ],
)  # fmt: skip
def test_the_title_of_the_book_and_titles_below_numbers(
    text: str, titles: list[tuple[str, tuple[str, ...]]], tmp_path: Path
) -> None:
    assert [(chapter.title, chapter.parts) for chapter in read_text(tmp_path, "x.md", text).chapters] == titles


@pytest.mark.parametrize(
    ("text", "blocks", "skipped"),
    [
        ("A.\n\n<!-- secret\n\nmore -->\n\nB.", ["A.", "B."], {"comment": "<!-- secret more -->"}),
        ("A <!-- secret --> b.", ["A b."], {"comment": "<!-- secret -->"}),
        ("[TOC]\n\nA.", ["A."], {"navigation": "[TOC]"}),
        ("A.\n\n```python\nsecret\n```\n\nB.", ["A.", "B."], {"code": "```python secret ```"}),
        ("A.\n\n    secret\n\nB.", ["A.", "B."], {"code": "secret"}),
        ("A.\n\n    Dear Ada,\n    I left the U.S. at 10:30 a.m. with $5 and/or a dog.\n", ["A.", "Dear Ada,\nI left the U.S. at 10:30 a.m. with $5 and/or a dog."], {}),
        ("A.\n\n    pip install foo\n    make all of it now\n\nB.", ["A.", "B."], {"code": "pip install foo make all of it now"}),
        ("A.\n\n    x = 1\n    print(\"All of it is here, and more.\")", ["A."], {"code": "x = 1 print(\"All of it is here, and more.\")"}),
        ("A.\n\n    The lamp is lit\n      and nobody\n    sits by it.\n\n    It is late.\n\nB.", ["A.", "The lamp is lit\nand nobody\nsits by it.", "It is late.", "B."], {}),
        ("A.\n\n<div class='x'>B</div>\n\nC.", ["A.", "B", "C."], {"markup": "<div class='x'> </div>"}),
        ("A.\n\n<script>\nsecret\n</script>\n\nC.", ["A.", "C."], {"code": "<script> secret </script>"}),
        ("![secret](map.png)\n\nA.", ["A."], {"description of a picture": "secret", "markup": "](map.png)"}),
        ("See [a *word*](http://x.org/a \"title\") here.", ["See a word here."], {"markup": "](http://x.org/a \"title\")"}),
        ("A bare <https://example.org>.", ["A bare ."], {"web address": "https://example.org"}),
        ("A word[^1].\n\n[^1]: Secret\n    and more.", ["A word."], {"mark of a note": "[^1]", "note": "[^1]: Secret and more."}),
        ("A word[^n].\n\n[^n]: Secret", ["A word."], {"mark of a note": "[^n]", "note": "[^n]: Secret"}),
        ("A [word][ref].\n\n[ref]: http://x.org/abc", ["A word."], {"markup": "][ref]. [ref]: http://x.org/abc"}),
        ("---\ntitle: X\n---\n\nA.", ["A."], {"markup": "--- title: X ---"}),
    ],
)  # fmt: skip
def test_what_is_not_spoken(text: str, blocks: list[str], skipped: dict[str, str], tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.md", text)
    assert spoken(book) == blocks
    assert {reason: " ".join(text.split()) for reason, text in reasons(book).items()}.keys() == skipped.keys()
    for reason, part in skipped.items():
        assert "".join(c for c in reasons(book)[reason] if c.isalnum()) == "".join(c for c in part if c.isalnum())


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("It is *very* **fine** and ~~not~~ `code` here.", ["It is very fine and not code here."]),
        ("An escaped \\*star\\* &amp; caf&eacute;.", ["An escaped *star* & café."]),
        ("H~2~O and x^2^.", ["H₂O and x²."]),
        ("He  \nwas gray.\nShe too.", ["He was gray. She too."]),
        ("Dear Hale,  \nThe sea.", ["Dear Hale,\nThe sea."]),
        ("1. First.\n2. Second:\n    - nested.", ["First.", "Second:", "nested."]),
        ("3. First.\n4. Second.", ["3. First.", "4. Second."]),
        ("> A line.\n> It goes on.", ["A line. It goes on."]),
        ("| A | B |\n|---|---|\n| c \\| d | e |", ["A\nB", "c | d\ne"]),
        ("A.\n\n---\n\n* * *\n\nB.", ["A.", "***", "B."]),
        ("A word[^1] with no note.", ["A word[^1] with no note."]),
        ("| The sea,\n|    the *sea*,\n| so wide.", ["The sea,\nthe sea,\nso wide."]),
        ("| The sea,\nthe sea.", ["| The sea, the sea."]),
        ("::: He said :::: so.", ["::: He said :::: so."]),
    ],
)
def test_blocks(text: str, blocks: list[str], tmp_path: Path) -> None:
    assert spoken(read_text(tmp_path, "x.md", text)) == blocks


def test_front_matter_names_the_book(tmp_path: Path) -> None:
    about = read_text(tmp_path, "x.md", "---\ntitle: Oz\nauthor: [A, B]\nlang: en\ncover: c.png\n---\nText.").about
    assert (about.title, about.author, about.language, about.cover) == ("Oz", "A, B", "en", "c.png")
    assert read_text(tmp_path, "x.md", '+++\ntitle = "Oz"\n+++\nText.').about.title == "Oz"
    with pytest.raises(TextError, match=r"x\.md: its front matter is no YAML"):
        read_text(tmp_path, "x.md", "---\ntitle: [\n---\nText.")


def test_notes_are_read_where_they_are_wanted(tmp_path: Path) -> None:
    text = "One[^1] and *two*.\n\n[^1]: Why *so*.\n\nThree."
    assert spoken(read_text(tmp_path, "x.md", text, ReadOptions(notes="inline"))) == [
        "One and two.",
        "Why so.",
        "Three.",
    ]
    assert spoken(read_text(tmp_path, "x.md", text, ReadOptions(notes="end"))) == ["One and two.", "Three.", "Why so."]


INLINE = "One^[Why *so*, and [where](http://x.org/a).] and *two*^[Not\nhere.]. Go^[A]^[B]; x^2^ stays."


@pytest.mark.parametrize(
    ("notes", "blocks"),
    [
        ("skip", ["One and two. Go; x² stays.", "Three."]),
        ("inline", ["One and two. Go; x² stays.", "Why so, and where.", "Not here.", "A", "B", "Three."]),
        ("end", ["One and two. Go; x² stays.", "Three.", "Why so, and where.", "Not here.", "A", "B"]),
    ],
)
def test_notes_inside_a_line(notes: str, blocks: list[str], tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.md", f"{INLINE}\n\nThree.", ReadOptions(notes=notes))  # type: ignore[arg-type]
    assert spoken(book) == blocks
    if notes == "skip":
        assert reasons(book) == {"note": "^[Why *so*, and [where](http://x.org/a).] ^[Not here.] ^[A] ^[B]"}
    else:
        assert [block.kind for block in book.blocks()].count("note") == 4


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("# Sea^[Salt.]\n\n- one^[A.]\n- two\n\n| a^[B.] | b |\n|---|---|\n| c | d^[C.] |", ["Sea", "one", "two", "a\nb", "c\nd"]),
        ("> He said^[Once.] so.\n\n_Yes_^[No.], he _said_^[Twice.].", ["He said so.", "Yes, he said."]),
        ("A[^1].\n\n^[Alone.]\n\n[^1]: Note ^[inner] here.", ["A."]),
    ],
)  # fmt: skip
def test_notes_inside_lines_of_all_kinds(text: str, blocks: list[str], tmp_path: Path) -> None:
    assert spoken(read_text(tmp_path, "x.md", text)) == blocks


@pytest.mark.parametrize(
    "text", ["A \\^[b] c.", "An `x^[b]` c.", "An open^[b\n\nand] c.", "A ﹅ sign^[b].", "A ^[] c."]
)
def test_what_only_looks_like_a_note_inside_a_line_is_read(text: str, tmp_path: Path) -> None:
    assert "note" not in reasons(read_text(tmp_path, "x.md", text))


def test_code_with_such_signs_is_skipped_as_code(tmp_path: Path) -> None:
    text = "A.\n\n```\nx^[b]\n```\n\n    y^[c]\n\n<!-- z^[d] -->\n\n<b title='^[e]'>B.</b>"
    for notes in ("skip", "inline"):
        book = read_text(tmp_path, "x.md", text, ReadOptions(notes=notes))  # type: ignore[arg-type]
        assert spoken(book) == ["A.", "B."]


@pytest.mark.parametrize("form", ["**{}**", "***{}***", "{}", "*{}*"])
def test_paragraphs_divide_a_file_without_headings(form: str, tmp_path: Path) -> None:
    text = "\n\n".join(f"{form.format(head)}\n\nSome words." for head in ("CHAPTER I", "CHAPTER II"))
    assert outline(read_text(tmp_path, "x.md", text)) == [
        ("CHAPTER I", "CHAPTER I / Some words."),
        ("CHAPTER II", "CHAPTER II / Some words."),
    ]


def test_rules_at_the_begin_of_a_file_are_no_front_matter(tmp_path: Path) -> None:
    assert spoken(read_text(tmp_path, "x.md", "---\n\nThe sea: it is wide.\n\n---\n\nA.")) == [
        "The sea: it is wide.",
        "***",
        "A.",
    ]
    assert spoken(read_text(tmp_path, "x.md", "---\n---\n\nA.")) == ["A."]
    assert spoken(read_text(tmp_path, "x.md", "---\n# A comment.\n\ntitle: X\n---\n\nA.")) == ["A."]


def test_lines_of_pandoc_that_are_no_text(tmp_path: Path) -> None:
    text = "% The Lamp\n% Ada N.\n\n# One\n\n::: {.note #n}\nInside.\n:::\n\n\\newpage\n\nB.\n\n```\n::: x\n```\n"
    book = read_text(tmp_path, "x.md", text)
    assert (book.about.title, book.about.author) == ("The Lamp", "Ada N.")
    assert spoken(book) == ["One", "Inside.", "B."]
    assert set(reasons(book)) == {"markup", "code"}


@pytest.mark.parametrize(("lines", "author"), [("", ""), ("% Ada N.\n", "Ada N."), ("%\n% 1900\n", "")])
def test_a_title_of_pandoc_is_not_spoken(lines: str, author: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.md", f"% The Lamp of the Sea\n{lines}\nA.")
    assert (book.about.title, book.about.author, spoken(book)) == ("The Lamp of the Sea", author, ["A."])


@pytest.mark.parametrize(
    "text",
    [
        "%TEMP% is a folder.\nIt holds files.",
        "%TEMP%\n\nIt holds files.",
        "% 5 of them came\n\nHello there.",
        "% The lamp was lit.\n\nHello there.",
        "% The Lamp\nwas lit.",
        "%d is a number\n%s is a text\n\nHello there.",
        "% One\n% Two\n% Three\n% Four",
    ],
)
def test_other_lines_that_begin_with_such_a_sign_are_spoken(text: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.md", text)
    assert " ".join(spoken(book)) == " ".join(text.split())


def test_contents_without_a_title_are_skipped(tmp_path: Path) -> None:
    names = ("One", "Two", "Three")
    text = "".join(f"- [{name}](#{name})\n" for name in names) + "".join(f"\n## {name}\n\nA.\n" for name in names)
    assert outline(read_text(tmp_path, "x.md", text)) == [(name, f"{name} / A.") for name in names]
    assert "One" in spoken(read_text(tmp_path, "y.md", text.replace("#One", "http://x.org")))


@pytest.mark.parametrize("text", ["^[a ", "^[[a ", "^[a] [", "^["])
def test_many_notes_without_an_end_take_no_longer_each(text: str) -> None:
    began = time.process_time()
    inline_notes(text * 20_000, [])
    assert time.process_time() - began < 3
    text = "^[a word ^[One [1] \\] b] more. ^[no\n\nend] ^[Two] ]^[Three]"
    assert [text[first:last] for first, last in inline_notes(text, [])] == ["^[One [1] \\] b]", "^[Two]", "^[Three]"]


def test_formulas_and_marked_words_are_read_as_they_are_meant(tmp_path: Path) -> None:
    text = r"""# One

A sum $a_1 * b * c_2$ and $x^2\,y$, for $5_000 and $6_000. It is \(x^2\), and \[ E = mc^2 \] holds.

$$
\frac{1}{3}\,x
$$

An \[escaped\] bracket, ==marked words==, a == b.

- [ ] buy leeks
- [x] **buy** milk
- [x]
"""
    assert spoken(read_text(tmp_path, "x.md", text)) == [
        "One",
        r"A sum $a_1 * b * c_2$ and $x^2\,y$, for $5_000 and $6_000. It is \(x^2\), and \[ E = mc^2 \] holds.",
        r"$$ \frac{1}{3}\,x $$",
        "An [escaped] bracket, marked words, a == b.",
        "buy leeks",
        "buy milk",
        "[x]",
    ]


def test_a_part_of_the_level_of_a_preface_stands_above_chapters(tmp_path: Path) -> None:
    text = "# Preface\n\nOne.\n\n# Part One\n\n## The Ferry\n\nTwo.\n\n## The Storm\n\nThree.\n\n# Afterword\n\nFour.\n"
    book = read_text(tmp_path, "x.md", text)
    assert [c.title for c in book.chapters] == ["Preface", "The Ferry", "The Storm", "Afterword"]
    assert book.chapters[1].parts == ("Part One",)


def test_a_part_of_the_level_of_its_chapters_is_no_number_of_the_first_one(tmp_path: Path) -> None:
    text = "-# Part One\n\n# The Ferry\n\nOne.\n\n# The Storm\n\nTwo.\n\n-# Part Two\n\n# The Lamp\n\nThree.\n"
    book = read_text(tmp_path, "x.md", text)
    assert [(c.title, c.parts) for c in book.chapters] == [
        ("The Ferry", ("Part One",)), ("The Storm", ()), ("The Lamp", ("Part Two",))
    ]  # fmt: skip


@pytest.mark.parametrize(
    "author",
    [
        *("\n  - name: Ada N.\n    affiliation: Hull", "\n  name: {given: Ada, family: N.}", " Ada N."),
        *(
            "\n  - Ada N.: {institute: hull}",
            "\n  name: {literal: Ada N.}",
            " [null, Ada N.]",
            " {first: Ada, last: N.}",
        ),
    ],
)
def test_front_matter_may_say_more_of_an_author_than_the_name(author: str, tmp_path: Path) -> None:
    assert read_text(tmp_path, "x.md", f"---\nauthor:{author}\n---\n\n# One\n\nTwo.\n").about.author == "Ada N."
