"""Advertisements of the publisher behind the end of a text file's book are skipped; what belongs to the book is not."""

import time
from pathlib import Path

import pytest

from tests.books import read_text, reasons, spoken
from triforce_tts.books.plain_adverts import find_adverts

PARAGRAPH = """The lamp was lit before nine, and it stood in the lighthouse on the
quay, where the keeper, who was an old and very quiet man, had met the
visitor in the afternoon of the storm.
"""
STORY = "\n".join([PARAGRAPH] * 12)
BOOK = f"CHAPTER I\n\n{STORY}\nCHAPTER II\n\n{STORY}"
PRICED = """MESSRS. HALE & CO.'S NEW NOVELS

THE SAND. By Ada N. Crown 8vo, cloth, 6s.

THE TIDE. By Ivo D., author of "The Rock." Illustrated by Bo C. 12mo, cloth
gilt, 3s. 6d.

"A book that nobody will lay down."--The Gazette.

LONDON: HALE & CO., PUBLISHERS
"""
ITALIC = """_Printed by_ HALE & CO., _Hull_

     *     *     *

HALE & CO.'S NEW BOOKS.

THE SAND. By ADA N. 6_s._

'One of the best books of the year.'--_Gazette._

THE TIDE. By IVO D. Illustrated. 3_s._ 6_d._
"""
SOLD = """ADA NORTH'S NOVELS

May be had wherever books are sold. Ask for Hale & Moor's list.

THE SAND. Illustrated by Bo C.

A lighthouse, a girl who will not leave it, and the man who comes for her in
the worst storm of the year. It is a story that nobody will lay down before
the lamp is out.

THE TIDE. Illustrated with scenes from the play.

The keeper's daughter goes to the town, and the town comes to her. There is
not a dull page in it from the first to the last.

THE ROCK. With frontispiece in colors.

HALE & MOOR, PUBLISHERS, HULL
"""
LISTED = "By the Same Author\n\nTHE SAND\n\nTHE TIDE\n\nTHE ROCK\n"
DOLLARS = """ADVERTISEMENTS

The Sand, by Ada N. A story of the coast that has gone through nine editions in a year, and which all who
love the sea will want to read. Price, $1.25, postage paid.

The Tide, by Ivo D. Cloth, $1.50.
"""


@pytest.mark.parametrize(
    "end", ["THE END", "FINIS.", "The End.", "* THE END *", "END OF THE LANTERN", "INDEX\n\nLamp, 3"]
)
@pytest.mark.parametrize("adverts", [LISTED, DOLLARS, SOLD, f"POPULAR NOVELS BY ADA N.\n\n{PRICED}"])
def test_advertisements_are_skipped(end: str, adverts: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.txt", f"{BOOK}\n\n{end}\n\n\n\n{adverts}")
    assert spoken(book)[-1] == end.split("\n")[-1]
    assert "".join(reasons(book)["back matter"].split()) == "".join(adverts.split())


@pytest.mark.parametrize("adverts", [PRICED, ITALIC])
def test_priced_books_need_no_title(adverts: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.txt", f"{BOOK}\n\nTHE END\n\n\n{adverts}")
    assert spoken(book)[-1] == "THE END"


@pytest.mark.parametrize(
    "behind",
    [
        f"EPILOGUE\n\n{PARAGRAPH}",
        f"APPENDIX A\n\n{PARAGRAPH}",
        "Goodnight, said the sea,\nAnd the lamp went out,\nAnd nobody came,\nAnd nobody knew.",
        "He paid $5 for it, and $3 for the oil, and 6s. for the rope, and went down to the sea\nwhere the old boat lay on her side as she had lain since the spring of that bad year.\n\n" + PARAGRAPH * 3,
        "THE LIBRARY\n\n\"Is it you?\" she asked him from the stair.\n\n\"It is,\" he said, and shut the door.",
        "TALES OF THE SEA\n\nThe sea is wide,\nThe sea is deep,\n\nAnd those who ride\nUpon it sleep,",
        "NORTH AND SOUTH STORIES\n\nThe sea is wide,\nThe sea is deep,",
        "Other books lay upon the table by the window, and she read them all.",
    ],
)  # fmt: skip
def test_what_belongs_to_the_book_is_spoken(behind: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.txt", f"{BOOK}\n\nTHE END\n\n\n\n{behind}")
    assert not reasons(book)


@pytest.mark.parametrize("title", ["The End of the Affair", "End of Summer", "THE END OF THE SAND"])
def test_a_chapter_about_an_end_is_spoken(title: str, tmp_path: Path) -> None:
    own = "He paid $5 for the lamp that was published by Hale & Co. in cloth, and 6s. for it in a new edition."
    assert not reasons(read_text(tmp_path, "x.txt", f"{BOOK}\n\n{title}\n\n{own}\n\nIt was a catalogue, 12mo."))


def test_an_epilogue_between_the_end_and_the_advertisements_is_spoken(tmp_path: Path) -> None:
    text = f"{BOOK}\n\nTHE END\n\n\nEPILOGUE\n\n{PARAGRAPH}\n\nADVERTISEMENTS\n\n{PRICED}"
    book = read_text(tmp_path, "x.txt", text)
    assert [chapter.title for chapter in book.chapters] == ["CHAPTER I", "CHAPTER II", "EPILOGUE"]
    assert spoken(book)[-1] == " ".join(PARAGRAPH.split())
    assert list(reasons(book)) == ["back matter"]


def test_prices_inside_a_story_skip_nothing(tmp_path: Path) -> None:
    text = f"CHAPTER I\n\n{STORY}\nTHE END\n\nCHAPTER II\n\nBOOKS FOR SALE\n\nTHE SAND. 12mo, cloth, 6s.\n\n{STORY}"
    assert not reasons(read_text(tmp_path, "x.txt", text))


@pytest.mark.parametrize("title", ["Catalogue", "CATALOGUE"])
@pytest.mark.parametrize("behind", [[" ".join(PARAGRAPH.split())], []])
def test_many_titles_take_no_longer_each(title: str, behind: list[str]) -> None:
    texts = [*[PARAGRAPH] * 9000, "THE END", *[title, *behind] * 3000, *[PARAGRAPH] * 9]
    began = time.process_time()
    assert not find_adverts(texts, set())
    assert time.process_time() - began < 8
