"""Text files as chapters: encodings, ends of lines, headings, headers and footers, notes, folders."""

import time
from pathlib import Path

import pytest

from tests.books import outline, read_text, reasons, spoken
from triforce_tts.books.chapters import ReadOptions, account
from triforce_tts.books.encodings import decode_book
from triforce_tts.books.read import natural_key, read_chapters
from triforce_tts.errors import TextError

PARAGRAPH = """The lamp was lit before nine, and it stood in the lighthouse on the
quay, where the keeper, who was an old and very quiet man, had met the
visitor in the afternoon of the storm.
"""
STORY = "\n".join([PARAGRAPH] * 4)  # as long as a chapter must be to be one


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "mac_roman", "cp850"]
)
def test_the_encoding_is_found(encoding: str) -> None:
    text = (
        "Café déjà vu, señor Müller, à Noël; l’été naïve."
        if encoding != "cp850"
        else "Café déjà vu, señor Müller, à Noël."
    )
    assert decode_book((text * 3).encode(encoding), "x") == text * 3


def test_what_is_no_text_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"x\.txt: expected a text, found zero bytes"):
        read_text(tmp_path, "x.txt", b"abc \0 def" * 100)


def test_hard_ends_of_lines_are_joined_and_verse_stays(tmp_path: Path) -> None:
    verse = "     The sea is wide,\n       the lamp is small,\n     and nobody comes."
    letter = "Dear Hale,\nThe sea is high.\nYours, Ada"
    book = read_text(tmp_path, "x.txt", f"{PARAGRAPH}\n{verse}\n\n{letter}\n\n{PARAGRAPH}".replace("\n", "\r\n"))
    joined = " ".join(PARAGRAPH.split())
    assert [(block.kind, block.text) for block in book.blocks()] == [
        ("paragraph", joined),
        ("verse", "The sea is wide,\nthe lamp is small,\nand nobody comes."),
        ("verse", letter),
        ("paragraph", joined),
    ]


def test_a_line_that_is_set_in_begins_a_paragraph(tmp_path: Path) -> None:
    text = "".join(f"    {PARAGRAPH}" for _ in range(2))
    assert spoken(read_text(tmp_path, "x.txt", text)) == [" ".join(PARAGRAPH.split())] * 2


def test_long_lines_are_paragraphs(tmp_path: Path) -> None:
    line = " ".join(PARAGRAPH.split())
    assert spoken(read_text(tmp_path, "x.txt", f"{line}\n{line}\n“Yes.”\n")) == [line, line, "“Yes.”"]


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("a won-", "derful day", "a wonderful day"),
        ("a well-", "known day", "a well-known day"),
        ("the Anglo-", "Saxon day", "the Anglo-Saxon day"),
        ("come to-", "day or not", "come today or not"),
        ("no cellar--", "except one", "no cellar--except one"),
        ("the light\u00ad", "house", "the lighthouse"),
        ("it was _very", "fine_ there", "it was very fine there"),
    ],
)
def test_words_are_joined_over_the_end_of_a_line(first: str, second: str, joined: str, tmp_path: Path) -> None:
    start = "The lamp was lit before nine, and it stood in the house on the quay,"
    book = read_text(tmp_path, "x.txt", f"{start}\n{PARAGRAPH.strip()} {start} {first}\n{second}.\n")
    assert spoken(book)[-1].endswith(f"{joined}.")


@pytest.mark.parametrize("row", ["*   *   *", "* * * * *\n\n  * * * *", "-----", "———", "~~~~", "#", "* * *"])
def test_rows_of_signs_are_breaks_and_no_chapters(row: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.txt", f"CHAPTER I\n\n{PARAGRAPH}\n{row}\n\n{PARAGRAPH}")
    assert len(book.chapters) == 1
    assert [block.kind for block in book.blocks()] == ["heading", "paragraph", "break", "paragraph"]


@pytest.mark.parametrize(
    ("headings", "titles"),
    [
        (["CHAPTER I. The Lamp", "CHAPTER II. The Sea"], ["CHAPTER I. The Lamp", "CHAPTER II. The Sea"]),
        (["Chapter 1\n\nThe Lamp", "Chapter 2\n\nThe Sea"], ["Chapter 1: The Lamp", "Chapter 2: The Sea"]),
        (["CHAPTER ONE", "CHAPTER TWENTY-TWO"], ["CHAPTER ONE", "CHAPTER TWENTY-TWO"]),
        (["ACT I", "ACT II"], ["ACT I", "ACT II"]),
        (["I", "II", "III"], ["I", "II", "III"]),
        (["I. The Lamp", "II. The Sea"], ["I. The Lamp", "II. The Sea"]),
        (["PREFACE", "CHAPTER THE FIRST", "EPILOGUE"], ["PREFACE", "CHAPTER THE FIRST", "EPILOGUE"]),
        (["STAVE ONE", "STAVE TWO"], ["STAVE ONE", "STAVE TWO"]),
        (["## The Lamp", "## The Sea"], ["The Lamp", "The Sea"]),
        (["PREFACE", "I", "II", "EPILOGUE"], ["PREFACE", "I", "II", "EPILOGUE"]),
        (["I. The Lamp", "II. The Sea", "CONCLUSION"], ["I. The Lamp", "II. The Sea", "CONCLUSION"]),
        (["PREFACE", "PART ONE", "PART TWO", "EPILOGUE"], ["PREFACE", "PART ONE", "PART TWO", "EPILOGUE"]),
        (["INTRODUCTION", "## The Lamp", "## The Sea"], ["INTRODUCTION", "The Lamp", "The Sea"]),
        (
            ["CHAPTER SIXTY", "CHAPTER SIXTY-ONE", "CHAPTER EIGHTY"],
            ["CHAPTER SIXTY", "CHAPTER SIXTY-ONE", "CHAPTER EIGHTY"],
        ),
        (["CHAPTER THE TWELFTH", "CHAPTER THE TWENTIETH"], ["CHAPTER THE TWELFTH", "CHAPTER THE TWENTIETH"]),
        (["CHAPTER THE TWENTY-NINTH", "CHAPTER THE THIRTIETH"], ["CHAPTER THE TWENTY-NINTH", "CHAPTER THE THIRTIETH"]),
        (["THE EIGHTH CHAPTER", "9th Chapter"], ["THE EIGHTH CHAPTER", "9th Chapter"]),
        (
            ["_CHAPTER X_", "=CHAPTER XI=", "*CHAPTER XII*", "[CHAPTER XIII]"],
            ["CHAPTER X", "CHAPTER XI", "CHAPTER XII", "CHAPTER XIII"],
        ),
        (["C H A P T E R  IX", "C H A P T E R   X"], ["CHAPTER IX", "CHAPTER X"]),
        (["The Lamp\n========", "The Sea\n======="], ["The Lamp", "The Sea"]),
        (["1", "2", "3"], ["1", "2", "3"]),
        (["1. The Lamp", "2. The Sea."], ["1. The Lamp", "2. The Sea."]),
        (["DAY ONE", "DAY TWO"], ["DAY ONE", "DAY TWO"]),
        (
            ["CHAPTER I.\n\nTHE LAMP.", 'CHAPTER II.\n\n"ALL\'S WELL!"'],
            ["CHAPTER I. THE LAMP.", 'CHAPTER II. "ALL\'S WELL!"'],
        ),
        (
            ["CHAPTER I.\n\nA Visitor.", "CHAPTER II.\n\nWho Was He?"],
            ["CHAPTER I. A Visitor.", "CHAPTER II. Who Was He?"],
        ),
        (
            [
                "CHAPTER I. Wherein the Lamp is Lit, and a Visitor comes\nover the Sea from a far Country, and no one in the whole\nof the Town can say why he came, or whither he went",
                "CHAPTER II.\n\nIn which is shewn that a Man may be honest and yet be drowned, with\nother Matters that the patient Reader will be glad to have.",
            ],
            [
                "CHAPTER I. Wherein the Lamp is Lit, and a Visitor comes over the Sea from a far Country, and no one in the whole of the Town can say why he came, or whither he went",
                "CHAPTER II. In which is shewn that a Man may be honest and yet be drowned, with other Matters that the patient Reader will be glad to have.",
            ],
        ),
    ],
)
def test_headings(headings: list[str], titles: list[str], tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.txt", "".join(f"{heading}\n\n\n{STORY}\n\n" for heading in headings))
    assert [chapter.title for chapter in book.chapters] == titles


@pytest.mark.parametrize(
    "text",
    [
        f"\n\n\n\nDEAR TOM COME HOME STOP\n\n{PARAGRAPH}\n\n\n\nNO MONEY STOP SEND TEN POUNDS\n\n{PARAGRAPH}",
        f"1. Peel the Onions\n\n{PARAGRAPH}\n2. Boil the Water\n\n{PARAGRAPH}\n3. Serve\n\n{PARAGRAPH}",
    ],
)
def test_telegrams_and_numbered_steps_are_no_chapters(text: str, tmp_path: Path) -> None:
    assert len(read_text(tmp_path, "x.txt", f"{STORY}\n{text}").chapters) == 1


def test_numbered_titles_inside_chapters_are_no_chapters(tmp_path: Path) -> None:
    rules = f"1. No Light\n\n{STORY}\n2. No Fire\n\n{STORY}"
    book = read_text(tmp_path, "x.txt", f"CHAPTER I\n\n{STORY}\n{rules}\nCHAPTER II\n\n{STORY}")
    assert [chapter.title for chapter in book.chapters] == ["CHAPTER I", "CHAPTER II"]


def test_sentences_are_no_headings(tmp_path: Path) -> None:
    text = f"CHAPTER I\n\n{PARAGRAPH}\nChapter two of the book was lost.\n\nI\n\nAct one, they said, was dull.\n\n{PARAGRAPH}"
    assert [chapter.title for chapter in read_text(tmp_path, "x.txt", text).chapters] == ["CHAPTER I"]


def test_a_short_first_sentence_is_no_subtitle(tmp_path: Path) -> None:
    text = f"CHAPTER I\n\nSilence.\n\n{PARAGRAPH}\nCHAPTER II\n\n{PARAGRAPH}\nCHAPTER III\n\n{PARAGRAPH}"
    chapters = read_text(tmp_path, "x.txt", text).chapters
    assert [chapter.title for chapter in chapters] == ["CHAPTER I", "CHAPTER II", "CHAPTER III"]
    assert chapters[0].blocks[1].text == "Silence."


@pytest.mark.parametrize(
    "line",
    [
        "Introduction of the guests took long.",
        "Conclusion: he was a fool.",
        "Conclusion: He was a fool.",
        "Scene Three was bad",
        "The first chapter was lost.",
        "Day two was worse.",
        "DAY FOUR",
        "1. The Lamp\n\n2. The Sea\n\n3. The Storm",
        "1\n\n2\n\n3",
        "Name    Age\n-----------\nAda     30",
        "THE LAMP",
    ],
)
def test_such_lines_in_the_text_are_no_headings(line: str, tmp_path: Path) -> None:
    text = f"CHAPTER I\n\n{PARAGRAPH}\n{line}\n\n{PARAGRAPH}\nCHAPTER II\n\n{PARAGRAPH}"
    book = read_text(tmp_path, "x.txt", text)
    headings = [block.text for block in book.blocks() if block.kind == "heading"]
    assert headings == ["CHAPTER I", "CHAPTER II"]
    assert not reasons(book)


def test_a_heading_with_text_right_below_it_is_divided(tmp_path: Path) -> None:
    text = f"CHAPTER I\nThe Lamp\n{PARAGRAPH}\nPREFACE\n{PARAGRAPH}\nCHAPTER II\n{PARAGRAPH}"
    book = read_text(tmp_path, "x.txt", text)
    assert [chapter.title for chapter in book.chapters] == ["CHAPTER I: The Lamp", "PREFACE", "CHAPTER II"]
    assert all(chapter.blocks[1].text == " ".join(PARAGRAPH.split()) for chapter in book.chapters)


def test_roman_numbers_in_a_chapter_stay_below_it(tmp_path: Path) -> None:
    text = "".join(f"CHAPTER {n}\n\n{PARAGRAPH}\nI\n\n{PARAGRAPH}\nII\n\n{PARAGRAPH}\n" for n in ("I", "II"))
    book = read_text(tmp_path, "x.txt", f"PREFACE\n\n{PARAGRAPH}\n{text}")
    assert [chapter.title for chapter in book.chapters] == ["PREFACE", "CHAPTER I", "CHAPTER II"]


def test_titles_in_capitals_that_are_set_off_begin_chapters(tmp_path: Path) -> None:
    text = "".join(f"\n\n\n\n{title}\n\n\n{STORY}" for title in ("THE QUAY", "THE SEA", "THE STORM"))
    book = read_text(tmp_path, "The Lamp.txt", f"THE LAMP\n\nby Ada N.\n{text}")
    assert [chapter.title for chapter in book.chapters] == ["THE QUAY", "THE SEA", "THE STORM"]
    assert reasons(book) == {"front matter": "THE LAMP by Ada N."}
    book = read_text(tmp_path, "y.txt", f"PREFACE\n\n{STORY}{text}")
    assert [chapter.title for chapter in book.chapters] == ["PREFACE", "THE QUAY", "THE SEA", "THE STORM"]


def test_parts_are_joined_and_scenes_are_no_chapters(tmp_path: Path) -> None:
    text = f"BOOK ONE\n\nCHAPTER I\n\n{PARAGRAPH}\nCHAPTER II\n\n{PARAGRAPH}\nBOOK TWO\n\nCHAPTER I\n\n{PARAGRAPH}\nCHAPTER II\n\n{PARAGRAPH}"
    book = read_text(tmp_path, "x.txt", text)
    assert [(chapter.title, chapter.parts) for chapter in book.chapters] == [
        ("CHAPTER I", ("BOOK ONE",)), ("CHAPTER II", ()), ("CHAPTER I", ("BOOK TWO",)), ("CHAPTER II", ()),
    ]  # fmt: skip
    play = f"ACT I\n\nSCENE I. A quay.\n\n{PARAGRAPH}\nSCENE II. A house.\n\n{PARAGRAPH}\nACT II\n\nSCENE I.\n\n{PARAGRAPH}"
    assert [(c.title, c.parts) for c in read_text(tmp_path, "y.txt", play).chapters] == [("ACT I", ()), ("ACT II", ())]


@pytest.mark.parametrize("motto", ["", "    The sea, the sea,\n    The open sea.\n\n"])
def test_parts_with_few_chapters_are_parts(motto: str, tmp_path: Path) -> None:
    text = f"PART ONE\n\n{motto}CHAPTER I\n\n{STORY}\nCHAPTER II\n\n{STORY}\nPART TWO\n\n{motto}CHAPTER III\n\n{STORY}"
    chapters = read_text(tmp_path, "x.txt", text).chapters
    assert [(c.title, c.parts) for c in chapters] == [
        ("CHAPTER I", ("PART ONE",)), ("CHAPTER II", ()), ("CHAPTER III", ("PART TWO",)),
    ]  # fmt: skip


def test_a_pattern_finds_other_headings(tmp_path: Path) -> None:
    text = f"Tale 1: Lamp\n\n{PARAGRAPH}\nCHAPTER I\n\nTale 2: Sea\n\n{PARAGRAPH}"
    book = read_text(tmp_path, "x.txt", text, ReadOptions(chapter_pattern=r"^Tale \d+"))
    assert [chapter.title for chapter in book.chapters] == ["Tale 1: Lamp", "Tale 2: Sea"]
    with pytest.raises(TextError, match=r"the pattern for chapters '\(' is no regular expression"):
        read_text(tmp_path, "x.txt", text, ReadOptions(chapter_pattern="("))


def test_a_table_of_contents_is_skipped(tmp_path: Path) -> None:
    text = f"CONTENTS\n\nCHAPTER I. The Lamp .... 3\nCHAPTER II. The Sea .... 9\n\nCHAPTER I. The Lamp\n\n{PARAGRAPH}\nCHAPTER II. The Sea\n\n{PARAGRAPH}"
    book = read_text(tmp_path, "x.txt", text)
    assert [chapter.title for chapter in book.chapters] == ["CHAPTER I. The Lamp", "CHAPTER II. The Sea"]
    assert list(reasons(book)) == ["navigation"]


LISTS = {
    "a list that a preface follows": "CONTENTS\n\nCHAPTER I. The Lamp\nCHAPTER II. The Sea\n\n\n",
    "a list with blank lines": "CONTENTS\n\nCHAPTER       PAGE\n\nI. The Lamp      1\n\nII. The Sea     12\n\n\n",
    "a list without pages": "CONTENTS\n\nPreface\n\nCHAPTER I. The Lamp\n\nCHAPTER II. The Sea\n\n\n",
    "a list with dots": "Contents\n\n  Chapter I.   The Lamp ....... 1\n  Chapter II.  The Sea ....... 20\n\nList of Illustrations\n\n  The Quay ..... 12\n\n\n",
    "a list with summaries": "CONTENTS\n\nCHAPTER I.\n\nIn which the lamp is lit, and a visitor comes over the sea from a country that nobody knows.\n\nCHAPTER II.\n\nThe sea--The end ... 9\n\n\n",
}


@pytest.mark.parametrize("name", LISTS)
def test_the_contents_end_before_a_preface(name: str, tmp_path: Path) -> None:
    text = f"{LISTS[name]}PREFACE\n\n{PARAGRAPH}\n{PARAGRAPH}\n\nCHAPTER I. The Lamp\n\n{PARAGRAPH}\n\nCHAPTER II. The Sea\n\n{PARAGRAPH}"
    book = read_text(tmp_path, "x.txt", text)
    assert [chapter.title for chapter in book.chapters] == ["PREFACE", "CHAPTER I. The Lamp", "CHAPTER II. The Sea"]
    assert reasons(book) == {"navigation": " ".join(LISTS[name].split())}


def test_the_contents_end_before_text_without_a_heading(tmp_path: Path) -> None:
    text = f"CONTENTS\n\nChapter 1 ... 3\n\nChapter 2 ... 9\n\n\n{PARAGRAPH}\nChapter 1\n\n{PARAGRAPH}\nChapter 2\n\n{PARAGRAPH}"
    book = read_text(tmp_path, "x.txt", text)
    assert [chapter.title for chapter in book.chapters] == ["x", "Chapter 1", "Chapter 2"]
    assert reasons(book) == {"navigation": "CONTENTS Chapter 1 ... 3 Chapter 2 ... 9"}


def test_numbers_and_titles_of_the_contents_may_stand_in_two_lines_of_the_text(tmp_path: Path) -> None:
    listed = "CONTENTS\n\n   CHAPTER        PAGE\n\n   I.   The Lamp      1\n\n   II.  The Sea      12\n\n\n"
    book = read_text(tmp_path, "x.txt", f"{listed}I\n\nThe Lamp\n\n{PARAGRAPH}\nII\n\nThe Sea\n\n{PARAGRAPH}")
    assert [chapter.title for chapter in book.chapters] == ["I: The Lamp", "II: The Sea"]


def test_titles_that_the_contents_list_begin_chapters(tmp_path: Path) -> None:
    titles = ["The Lamp", "The Storm", "The Visitor from the Sea"]
    listed = "".join(f"{title}     {n}\n" for n, title in enumerate(titles, 1))
    stories = "".join(f"\n\n{title.upper()}\n\nI\n\n{PARAGRAPH}\nII\n\n{PARAGRAPH}" for title in titles)
    stories = stories.replace("\n\nI\n\n", f"\n\n{PARAGRAPH}\nI\n\n")
    book = read_text(tmp_path, "Tales.txt", f"TALES\n\nBy Ada N.\n\nCONTENTS\n\n{listed}{stories}")
    assert [chapter.title for chapter in book.chapters] == [title.upper() for title in titles]
    assert list(reasons(book)) == ["front matter", "navigation"]


def test_a_preface_and_an_index_in_the_contents_do_not_lower_the_chapters(tmp_path: Path) -> None:
    listed = "CONTENTS\n\nTo the Reader\nI. The Lamp\nII. The Sea\nIndex\n\n\n"
    heads = ("To the Reader", "I. The Lamp", "II. The Sea", "Index")
    book = read_text(tmp_path, "x.txt", listed + "".join(f"{head}\n\n{PARAGRAPH}\n{PARAGRAPH}\n" for head in heads))
    assert [chapter.title for chapter in book.chapters] == list(heads)


def test_text_before_the_first_heading_is_no_title_page(tmp_path: Path) -> None:
    text = f"THE LAMP\n\nby Ada N.\n\nLONDON, 1891\n\n{PARAGRAPH}\nCHAPTER I\n\n{PARAGRAPH}\nCHAPTER II\n\n{PARAGRAPH}"
    book = read_text(tmp_path, "The Lamp.txt", text)
    assert spoken(book)[0] == " ".join(PARAGRAPH.split())
    assert reasons(book) == {"front matter": "THE LAMP by Ada N. LONDON, 1891"}
    numbered = "".join(f"{head}\n\n{PARAGRAPH}\n" for head in ("I", "II", "III", "EPILOGUE"))
    assert [c.title for c in read_text(tmp_path, "Lamp.txt", numbered).chapters] == ["I", "II", "III", "EPILOGUE"]


BODY = f"THE LANTERN\n\nby Ada N.\n\n\nCHAPTER I\n\n{PARAGRAPH}\nCHAPTER II\n\n{PARAGRAPH}\nTHE END\n\n"
NEW = (
    "The Project Gutenberg eBook of The Lantern\n\nTitle: The Lantern\n\nAuthor: Ada N.\n\nLanguage: English\n\n"
    "*** START OF THE PROJECT GUTENBERG EBOOK THE LANTERN ***\n\nProduced by Ann O. and the Online\nDistributed Proofreading Team\n\n"
)
SMALL_PRINT = "**The Project Gutenberg Etext of The Lantern**\n\n*SMALL PRINT!* Title: The Lantern\n\nwe say\n\n*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\n"
OLD = "The Project Gutenberg EBook of The Lantern, by Ada N.\n\nThis eBook is for all.\n\nTitle: The Lantern\n\nAuthor: Ada N.\n\nRelease Date: 1999\n\n"


@pytest.mark.parametrize(
    "header", [NEW, NEW.replace("THE PROJECT", "THIS PROJECT").replace("*** S", "***S"), SMALL_PRINT, OLD]
)
@pytest.mark.parametrize(
    "footer",
    [
        "*** END OF THE PROJECT GUTENBERG EBOOK THE LANTERN ***\n\nUpdated editions will.\n",
        "End of Project Gutenberg's The Lantern, by Ada N.\n\n*** END OF THIS PROJECT GUTENBERG EBOOK ***\n\nUpdated.\n",
        "End of the Project Gutenberg Etext of The Lantern\n",
    ],
)
def test_gutenbergs_headers_and_footers_are_skipped(header: str, footer: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "The Lantern.txt", header + BODY + footer)
    assert [chapter.title for chapter in book.chapters] == ["CHAPTER I", "CHAPTER II"]
    assert spoken(book)[-1] == "THE END"
    assert set(reasons(book)) == {"Gutenberg header", "front matter", "Gutenberg footer"}
    assert book.about.title == "The Lantern"


def test_notes_and_pictures_of_a_text(tmp_path: Path) -> None:
    text = f"CHAPTER I\n\nThe king[1] died in the great hall of the castle, and nobody was there to\nsee it.\n\n[Footnote 1: In bed.]\n\n[Illustration: The king]\n\n{PARAGRAPH}"
    book = read_text(tmp_path, "x.txt", text)
    assert spoken(book)[1].startswith("The king died in")
    assert reasons(book) == {
        "mark of a note": "[1]",
        "note": "[Footnote 1: In bed.]",
        "description of a picture": "[Illustration: The king]",
    }
    read = spoken(read_text(tmp_path, "x.txt", text, ReadOptions(notes="inline")))
    assert read[2] == "[Footnote 1: In bed.]"


def test_a_folder_is_read_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        (tmp_path / f"Part {number}.txt").write_text(f"{PARAGRAPH} {number}")
    (tmp_path / "Part 3.md").write_text("# Three\n\nText.")
    (tmp_path / "cover.jpg").write_bytes(b"x")
    assert [title for title, _ in outline(read_chapters(tmp_path))] == ["Part 1", "Part 2", "Three", "Part 10"]
    assert sorted(["b10", "b9", "a"], key=natural_key) == ["a", "b9", "b10"]


def test_folders_and_files_of_other_kinds_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="found 0 books' files in the folder"):
        read_chapters(tmp_path)
    with pytest.raises(TextError, match=r"cannot read a book in the format '\.pdf'; expected one of \.epub, \.txt"):
        read_text(tmp_path, "x.pdf", "text")


def test_a_fault_inside_a_book_names_its_file(tmp_path: Path) -> None:
    for name in ("one.txt", "two.md"):
        (tmp_path / name).write_text("# One\n\nIt waits. [pause 5s] It goes on.\n")
    (tmp_path / "two.md").write_text("# Two\n\nIt waits. [pause 99s] It goes on.\n")
    for path in (tmp_path / "two.md", tmp_path):
        with pytest.raises(TextError, match=r"two\.md: '\[pause 99s\]'"):
            read_chapters(path)


def test_notes_by_a_sign_are_silent_and_a_list_is_read(tmp_path: Path) -> None:
    text = (
        "CHAPTER I\n\nThe king was old,* and rich.\n\n* Some say not.\n\nHe died.** The dagger† too.\n\n** In 1066.\n\n† It was sharp.\n\nLong ago,*[1] it was.\n\n* Very.\n\n[1] Both.\n\n"
        "A *very* long list:\n\n* one\n\n* two\n\nThe end.\n"
    )
    book = read_text(tmp_path, "king.txt", text)
    assert [block.text for block in book.blocks()][1:] == [
        "The king was old, and rich.", "He died. The dagger too.", "Long ago, it was.", "A *very* long list:", "* one", "* two", "The end.",
    ]  # fmt: skip
    notes = " ".join(part.text for part in book.skipped if part.reason == "note")
    assert notes == "* Some say not. ** In 1066. † It was sharp. * Very. [1] Both."
    account(book)
    kept = read_text(tmp_path, "king.txt", text, ReadOptions(notes="inline"))
    assert "* Some say not." in [block.text for block in kept.blocks()]


def test_a_long_row_of_spaces_inside_a_line_takes_no_time(tmp_path: Path) -> None:
    began = time.process_time()
    assert spoken(read_text(tmp_path, "x.txt", f"It began{' ' * 40_000}here.\n")) == ["It began here."]
    assert time.process_time() - began < 5


def test_the_number_of_the_last_page_needs_no_form_feed_behind_it(tmp_path: Path) -> None:
    pages = "\f".join(f"The man went to the river and waited there.\n\n{number}\n" for number in range(1, 5))
    assert spoken(read_text(tmp_path, "x.txt", pages)) == ["The man went to the river and waited there."] * 4
