"""Lines of a text file that look like headings or titles and are none."""

from pathlib import Path

import pytest

from tests.books import read_text, reasons

PARAGRAPH = """The lamp was lit before nine, and it stood in the lighthouse on the
quay, where the keeper, who was an old and very quiet man, had met the
visitor in the afternoon of the storm.
"""
STORY = "\n".join([PARAGRAPH] * 4)


@pytest.mark.parametrize(
    "sentence",
    [
        "Being alone was what she liked.",
        "Giving up was not in her, and everyone on the quay knew that.",
        "Concerning the lamp he said nothing.",
        "Treats were rare in the house.",
    ],
)
@pytest.mark.parametrize("gap", ["\n\n", "\n"])
def test_a_first_sentence_is_no_title(sentence: str, gap: str, tmp_path: Path) -> None:
    text = f"CHAPTER I\n\n{sentence}{gap}{STORY}\nCHAPTER II\n\n{STORY}\nCHAPTER III\n\n{STORY}"
    chapters = read_text(tmp_path, "x.txt", text).chapters
    assert [chapter.title for chapter in chapters] == ["CHAPTER I", "CHAPTER II", "CHAPTER III"]
    assert chapters[0].blocks[1].text.startswith(sentence)


def test_a_first_sentence_right_below_a_number_is_no_title(tmp_path: Path) -> None:
    sentence = "Being alone was what she liked, and the sea was there, and the\nlamp was lit, and nobody came to her from the quay before the morning."
    text = f"CHAPTER I\n{sentence}\n\n{STORY}\nCHAPTER II\n{STORY}\nCHAPTER III\n{STORY}"
    chapters = read_text(tmp_path, "x.txt", text).chapters
    assert [chapter.title for chapter in chapters] == ["CHAPTER I", "CHAPTER II", "CHAPTER III"]


@pytest.mark.parametrize("gap", ["\n\n", "\n"])
def test_titles_of_old_times_stay_titles(gap: str, tmp_path: Path) -> None:
    heads = ("Being an account of the lamp, and of who lit it.", "Containing what was seen upon the quay.")
    text = "".join(f"CHAPTER {n}.{gap}{head}\n\n{STORY}\n\n" for n, head in zip(("I", "II"), heads, strict=True))
    assert [chapter.title for chapter in read_text(tmp_path, "x.txt", text).chapters] == [
        f"CHAPTER I. {heads[0]}",
        f"CHAPTER II. {heads[1]}",
    ]


ORDINALS = [("First.", "Second.", "Third."), ("First", "Second", "Third"), ("1.", "2.", "3."), ("One.", "Two.", "Three."), ("I.", "II.", "III.")]  # fmt: skip


@pytest.mark.parametrize("lines", ORDINALS)
@pytest.mark.parametrize("suffix", ["txt", "md", "html"])
@pytest.mark.parametrize("head", ["CHAPTER {}", "{}. THE LAMP"])
def test_ordinals_on_lines_of_their_own_begin_no_chapter(
    lines: tuple[str, ...], suffix: str, head: str, tmp_path: Path
) -> None:
    inner = "".join(f"{line}\n\n{PARAGRAPH}\n" for line in lines)
    text = "".join(f"{head.format(n)}\n\n{STORY}\n{inner}\n{STORY}\n" for n in ("I", "II"))
    if suffix == "md":
        text = text.replace("CHAPTER", "## CHAPTER").replace("I. THE", "## I. THE").replace("I## I", "## II")
    if suffix == "html":
        text = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
    titles = [chapter.title for chapter in read_text(tmp_path, f"x.{suffix}", text).chapters]
    assert titles == [head.format("I"), head.format("II")]


@pytest.mark.parametrize(
    ("heads", "titles"),
    [
        (("ONE", "TWO", "THREE"), ["ONE", "TWO", "THREE"]),
        (("One.", "Two.", "Twenty-One."), ["One.", "Two."]),
        (("1\nThe Lamp", "2\nThe Sea"), ["1: The Lamp", "2: The Sea"]),
        (("I.--THE LAMP", "II.--THE SEA"), ["I.--THE LAMP", "II.--THE SEA"]),
        (("1.—The Lamp", "2.—The Sea"), ["1.—The Lamp", "2.—The Sea"]),
        (("CHAPTER I\n\nI GO TO SEA, AND\nCOME BACK", "CHAPTER II"), ["CHAPTER I: I GO TO SEA, AND COME BACK", "CHAPTER II"]),
        (("I.\nThe Lamp", "II.\nThe Sea"), ["I. The Lamp", "II. The Sea"]),
        (("CHAPTER I", "Author's Note", "Acknowledgments", "GLOSSARY"), ["CHAPTER I", "Author's Note", "Acknowledgments", "GLOSSARY"]),
    ],
)  # fmt: skip
def test_other_headings(heads: tuple[str, ...], titles: list[str], tmp_path: Path) -> None:
    text = "".join(f"{head}\n\n{STORY}\n\n" for head in heads)
    assert [chapter.title for chapter in read_text(tmp_path, "x.txt", text).chapters] == titles


def test_titles_that_are_set_off_begin_chapters(tmp_path: Path) -> None:
    text = "\n\n\n".join(f"{title}\n\n{STORY}" for title in ("The Lamp", "The Sea", "Home Again"))
    assert [chapter.title for chapter in read_text(tmp_path, "x.txt", text).chapters] == [
        "The Lamp",
        "The Sea",
        "Home Again",
    ]


@pytest.mark.parametrize("motto", ["The sea, the sea,\nThe open sea", "The sea is wide\n--Old Song"])
def test_a_motto_is_no_title(motto: str, tmp_path: Path) -> None:
    text = f"CHAPTER I\n\n{motto}\n\n{STORY}\nCHAPTER II\n\n{STORY}"
    chapters = read_text(tmp_path, "x.txt", text).chapters
    assert [chapter.title for chapter in chapters] == ["CHAPTER I", "CHAPTER II"]
    assert chapters[0].blocks[1].text == motto


@pytest.mark.parametrize("lines", [("1.", "2.", "3."), ("I.", "II.", "III."), ("ONE", "TWO", "THREE")])
@pytest.mark.parametrize("suffix", ["txt", "md", "html"])
def test_numbers_of_short_texts_inside_a_story_are_no_chapters(
    lines: tuple[str, ...], suffix: str, tmp_path: Path
) -> None:
    text = f"{STORY}\n" + "".join(f"{line}\n\n{PARAGRAPH}\n" for line in lines) + STORY
    if suffix == "html":
        text = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
    assert (
        len(read_text(tmp_path, f"x.{suffix}", text.replace(".\n\n", "\\.\n\n") if suffix == "md" else text).chapters)
        == 1
    )


@pytest.mark.parametrize("indent", ["", "    "])
def test_headings_in_a_text_without_blank_lines(indent: str, tmp_path: Path) -> None:
    own = [f"{indent}{line}" for line in (PARAGRAPH.strip(), PARAGRAPH.strip())]
    text = "\n".join(["Chapter 1", *own, "Chapter 2", *own, "Chapter 3", *own])
    chapters = read_text(tmp_path, "x.txt", text).chapters
    assert [chapter.title for chapter in chapters] == ["Chapter 1", "Chapter 2", "Chapter 3"]


@pytest.mark.parametrize("suffix", ["txt", "md", "html"])
def test_the_title_above_the_first_chapter_belongs_to_it(suffix: str, tmp_path: Path) -> None:
    text = f"THE LIGHT\n\nby Ada N.\n\nCHAPTER I\n\n{STORY}\nCHAPTER II\n\n{STORY}"
    if suffix == "html":
        text = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
    book = read_text(tmp_path, f"x.{suffix}", text)
    assert [(c.title, c.parts) for c in book.chapters] == [("CHAPTER I", ("THE LIGHT",)), ("CHAPTER II", ())]
    assert [block.text for block in book.blocks()][:3] == ["THE LIGHT", "by Ada N.", "CHAPTER I"]


def test_words_before_the_first_chapter_that_are_no_title_are_a_chapter(tmp_path: Path) -> None:
    text = f"For my mother.\n\nCHAPTER I\n\n{STORY}\nCHAPTER II\n\n{STORY}"
    assert [c.title for c in read_text(tmp_path, "x.txt", text).chapters] == ["x", "CHAPTER I", "CHAPTER II"]


def test_an_index_behind_a_text_is_skipped(tmp_path: Path) -> None:
    text = f"CHAPTER I\n\n{STORY}\nINDEX\n\nLamp, the, 3, 12\nQuay, 4; in the storm, 9\n\nSea, 1-5\n"
    book = read_text(tmp_path, "x.txt", text)
    assert reasons(book) == {"navigation": "INDEX Lamp, the, 3, 12\nQuay, 4; in the storm, 9 Sea, 1-5"}


def test_the_scenes_of_a_play_that_are_listed_before_its_acts_are_no_chapters(tmp_path: Path) -> None:
    listed = "THE SCENES OF THE PLAY\n\nACT I. The Quay.\n\nACT II. The Tower.\n\nTIME: The Present.\n\n\n"
    acts = "".join(
        f"{number} ACT\n\n\nSCENE\n\nA room at night, with a lamp.\n\nBO. It is out.\n\n\n"
        for number in ("FIRST", "SECOND")
    )
    book = read_text(tmp_path, "x.txt", listed + acts)
    assert [chapter.title for chapter in book.chapters] == ["THE SCENES OF THE PLAY", "FIRST ACT", "SECOND ACT"]
    assert [block.text for block in book.chapters[0].blocks][1:3] == ["Act I. The Quay.", "ACT II. The Tower."]
    assert [block.text for block in book.chapters[1].blocks][:2] == ["FIRST ACT", "SCENE"]


@pytest.mark.parametrize("author", ["C. NOBODY", "D. H. NOBODY", "V. NOBODY", "I. NOBODY", "M. R. Nobody"])
def test_the_initials_of_the_author_are_no_numbers_of_chapters(author: str, tmp_path: Path) -> None:
    prose = "The lamp was lit before nine, and nobody on the quay knew why it was so late.\n" * 3
    chapters = "".join(f"PART {part}\n\n\nI\n\n{prose}\n\nII\n\n{prose}\n\n" for part in ("ONE", "TWO"))
    book = read_text(tmp_path, "x.txt", f"THE LAMP\n\nBY\n\n{author}\n\nLONDON, 1911\n\n\n{chapters}")
    assert [(chapter.title, chapter.parts[-1:]) for chapter in book.chapters] == [
        ("I", ("PART ONE",)), ("II", ()), ("I", ("PART TWO",)), ("II", ()),
    ]  # fmt: skip


def test_a_list_of_acts_ends_where_they_count_from_one_again(tmp_path: Path) -> None:
    acts = "ACT I\n\nBO. Come.\n\nACT II\n\nBO. Go.\n"
    book = read_text(tmp_path, "x.txt", f"THE SCENES OF THE PLAY\n\nACT I. A quay.\n\nACT II. A street.\n\n{acts}")
    assert [chapter.title for chapter in book.chapters] == ["THE SCENES OF THE PLAY", "ACT I", "ACT II"]


def test_numbers_of_chapters_go_on_behind_a_gap(tmp_path: Path) -> None:
    prose = "The lamp was lit before nine, and nobody on the quay knew why it was so late.\n" * 3
    numbers = ["I", "II", "X", "XI", "XII"]
    book = read_text(tmp_path, "x.txt", "\n".join(f"{number}\n\n{prose}\n" for number in numbers))
    assert [chapter.title for chapter in book.chapters] == numbers
