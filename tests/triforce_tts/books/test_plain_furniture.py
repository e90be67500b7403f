"""What a text file holds beside the text: numbers of pages, pictures, notes of readers and transcribers, lines of verse."""

from pathlib import Path

import pytest

from tests.books import read_text, reasons, spoken
from triforce_tts.books.chapters import ReadOptions, account

PARAGRAPH = """The lamp was lit before nine, and it stood in the lighthouse on the
quay, where the keeper, who was an old and very quiet man, had met the
visitor in the afternoon of the storm.
"""
TEXT = " ".join(PARAGRAPH.split())
STANZA = """The boat goes out upon the morning tide,
And all the quay is grey with early rain;
The keeper sees the water, cold and wide,
And thinks the boat will not come home again.
"""


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("It stood in the light[Pg 12]house.", "It stood in the lighthouse."),
        ("It stood [Page 15] there[Pg xii], she said [Pg 16].", "It stood there, she said."),
        ("[Pg 3] It stood.", "It stood."),
        ("See {12} how {13} they {14} count.", "See {12} how {13} they {14} count."),
        ("The codes were [4] and [5] and [6] and [7] and [8].", "The codes were [4] and [5] and [6] and [7] and [8]."),
        ("See {12} and {40}.", "See {12} and {40}."),
    ],
)
def test_marks_of_pages_in_a_paragraph_are_skipped(text: str, read: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.txt", f"CHAPTER I\n\n{text}\n\nCHAPTER II\n\n{PARAGRAPH}")
    assert spoken(book)[1] == read
    assert list(reasons(book)) == ([] if text == read else ["page number"])


@pytest.mark.parametrize(
    "line", ["{}", "- {} -", "Page {}", "[Pg {}]", "THE LAMP            {}", "{}            THE LAMP"]
)
def test_numbers_of_pages_between_paragraphs_are_skipped(line: str, tmp_path: Path) -> None:
    halves = f"{TEXT[:-1]}\n\n{line.format('{}')}\n\nand so on. {TEXT}\n\n{line.format('{}')}\n\n"
    pages = "".join(halves.format(n, n + 1) for n in range(8, 14, 2))
    book = read_text(tmp_path, "x.txt", f"CHAPTER I\n\n{pages}CHAPTER II\n\n{TEXT}\n")
    assert spoken(book) == ["CHAPTER I", *[f"{TEXT[:-1]} and so on. {TEXT}"] * 3, "CHAPTER II", TEXT]
    assert list(reasons(book)) == ["page number"]


@pytest.mark.parametrize("mark", ["{{{}}}", "[{}]"])
def test_marks_that_count_up_and_lie_as_far_apart_as_pages_are_skipped(mark: str, tmp_path: Path) -> None:
    text = "".join(f"{TEXT} {TEXT} The boat {mark.format(n)} came in.\n\n" for n in range(7, 13))
    book = read_text(tmp_path, "x.txt", f"CHAPTER I\n\n{text}")
    assert spoken(book) == ["CHAPTER I", *[f"{TEXT} {TEXT} The boat came in."] * 6]
    assert list(reasons(book)) == ["page number"]


@pytest.mark.parametrize(
    "lines",
    [
        ("1914", "1915", "1916"),
        ("3", "4", "7", "14"),
        ("12", "14", "16"),
        ("5", "6", "7", "8"),
        ("Page 12", "Page 14", "Page 19"),
        ("JOHN HALE     44", "MARY HALE     47", "ANNA HALE     51"),
        ("HOME     1", "HOME     2", "HOME     3"),
    ],
)
def test_numbers_of_the_story_are_read(lines: tuple[str, ...], tmp_path: Path) -> None:
    text = "".join(f"{line}\n\n{PARAGRAPH}\n" for line in lines)
    book = read_text(tmp_path, "x.txt", f"CHAPTER I\n\n{PARAGRAPH}\n{text}")
    assert spoken(book)[2::2] == [" ".join(line.split()) for line in lines]
    assert not reasons(book)


def test_a_paragraph_of_a_megabyte_is_read_in_seconds(tmp_path: Path) -> None:
    text = " ".join([TEXT] * 6000)
    book = read_text(tmp_path, "x.txt", f"CHAPTER I\n\n{text}\n\nCHAPTER II\n\n{TEXT}\n")
    assert [chapter.title for chapter in book.chapters] == ["CHAPTER I", "CHAPTER II"]


@pytest.mark.parametrize("name", ["DEDICATION", "PREFACE", "Foreword"])
def test_contents_end_before_a_short_text_in_front_of_the_book(name: str, tmp_path: Path) -> None:
    contents = "CONTENTS\n\nCHAPTER I. The Lamp\nCHAPTER II. The Sea"
    chapters = f"CHAPTER I. The Lamp\n\n{PARAGRAPH}\nCHAPTER II. The Sea\n\n{PARAGRAPH}"
    book = read_text(tmp_path, "x.txt", f"{contents}\n\n\n{name}\n\nTo my mother.\n\n\n{chapters}")
    assert spoken(book)[:3] == [name, "To my mother.", "CHAPTER I. The Lamp"]
    assert list(reasons(book)) == ["navigation"]


def test_a_list_of_illustrations_ends_before_a_dialogue(tmp_path: Path) -> None:
    story = f'"Where?" she said.\n\n"Here."\n\n\n\n"Gone," he said.\n\n{PARAGRAPH}\nCHAPTER II\n\n{PARAGRAPH}'
    book = read_text(tmp_path, "x.txt", f"LIST OF ILLUSTRATIONS\n\nThe boat\n\nThe clock\n\nCHAPTER I\n\n{story}")
    assert spoken(book)[:3] == ["CHAPTER I", '"Where?" she said.', '"Here."']


def test_numbers_that_do_not_count_up_are_read(tmp_path: Path) -> None:
    text = "".join(f"{PARAGRAPH}\n{line}\n\n" for line in ("1891", "12", "- 5 -", "Page 4", "THE LAMP      3"))
    book = read_text(tmp_path, "x.txt", f"CHAPTER I\n\n{text}")
    assert spoken(book)[2::2] == ["1891", "12", "- 5 -", "Page 4", "THE LAMP 3"]


def test_pages_that_divide_sentences_are_joined_and_are_no_chapters(tmp_path: Path) -> None:
    text = "".join(f"The keeper sat in the house with the lamp that was\n\n{n}\n\nlit and bright in the dark of the night, and slept. {TEXT}\n\n" for n in range(1, 6))  # fmt: skip
    book = read_text(tmp_path, "x.txt", text)
    assert len(book.chapters) == 1
    assert spoken(book)[0].startswith("The keeper sat in the house with the lamp that was lit and bright")
    assert list(reasons(book)) == ["page number"]


@pytest.mark.parametrize(
    "picture",
    [
        '[Illustration: "He stood upon the quay."\n_Page 12_]',
        "[Illustration:\n\nTHE LAMP\n\nFrom a drawing by J. Smith]",
        "[Illustration: Map]\n[Illustration: Plan [of the quay]]",
        "[Blank Page]",
        "[Music]",
    ],
)
def test_pictures_are_skipped(picture: str, tmp_path: Path) -> None:
    text = f"CHAPTER I\n\n{PARAGRAPH}\n{picture}\n\n{PARAGRAPH}"
    book = read_text(tmp_path, "x.txt", text)
    assert spoken(book) == ["CHAPTER I", TEXT, TEXT]
    assert list(reasons(book)) == ["description of a picture"]
    assert len(spoken(read_text(tmp_path, "x.txt", text, ReadOptions(pictures=True)))) > 3


def test_a_picture_in_a_paragraph_is_skipped_and_one_without_an_end_is_read(tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.txt", f"CHAPTER I\n\n[Illustration: _The\nkeeper_] {PARAGRAPH}")
    assert spoken(book) == ["CHAPTER I", TEXT]
    open_end = read_text(tmp_path, "x.txt", f"CHAPTER I\n\n[Illustration: The lamp\n\n{PARAGRAPH * 3}\n{PARAGRAPH}")
    assert not reasons(open_end)


def test_music_in_a_play_is_a_direction(tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.txt", f"ACT I\n\nSCENE I. A quay.\n\n[Music]\n\n{PARAGRAPH}")
    assert "[Music]" in spoken(book)


@pytest.mark.parametrize(
    "note",
    [
        "[Transcriber's Note: the spelling was kept.\n\nSo were the commas.]",
        "Transcriber’s Note: the spelling was kept.",
        "+--------------------+\n| Transcriber's Note |\n| It was kept.       |\n+--------------------+",
    ],
)
def test_notes_of_the_transcriber_are_skipped(note: str, tmp_path: Path) -> None:
    for text in (f"{note}\n\nCHAPTER I\n\n{PARAGRAPH}", f"CHAPTER I\n\n{PARAGRAPH}\n{note}\n"):
        book = read_text(tmp_path, "x.txt", text)
        assert spoken(book) == ["CHAPTER I", TEXT]


@pytest.mark.parametrize(
    "line",
    ["Transcriber's note: the man was weeping.", "[Ornament or crime? he asked.]", "See [illustration follows] there."],
)
def test_a_story_may_speak_of_transcribers_and_pictures(line: str, tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.txt", f"CHAPTER I\n\n{PARAGRAPH}\n{line}\n\n{PARAGRAPH}")
    assert spoken(book)[2] == line


def test_a_transcribers_note_behind_the_book_may_list_changes(tmp_path: Path) -> None:
    note = 'Transcriber\'s Notes:\n\nPage 14, "teh" changed to "the".\n\nPage 20, a full stop was added.'
    book = read_text(tmp_path, "x.txt", f"CHAPTER I\n\n{PARAGRAPH}\n       *       *       *\n\n{note}\n")
    assert spoken(book) == ["CHAPTER I", TEXT]


def test_a_transcribers_note_ends_before_the_book(tmp_path: Path) -> None:
    heading = "TRANSCRIBER'S NOTES\n\nErrors were corrected.\n\nThe cover was made by the transcriber."
    text = f"{heading}\n\n\n\n\n{PARAGRAPH}\nCHAPTER I\n\n{PARAGRAPH}\n{heading}\n\nINDEX\n\nLamp, 12"
    book = read_text(tmp_path, "x.txt", text)
    assert spoken(book) == [TEXT, "CHAPTER I", TEXT, "INDEX", "Lamp, 12"]
    assert list(reasons(book)) == ["transcriber's note"]


NOTES = f"""CHAPTER I

The lamp was lit,[A] and it stood in the house,(2) where the keeper had met him.{{3}} See (4) below.

[Footnote A: See the second volume.

The second paragraph of this note.]

(2) He was eighty.

{{3}} This was in May.

(4) {PARAGRAPH}

CHAPTER II

{PARAGRAPH}
FOOTNOTES:

[5] An endnote.
"""


def test_notes_of_several_forms_are_skipped(tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.txt", NOTES)
    assert spoken(book) == [
        "CHAPTER I",
        "The lamp was lit, and it stood in the house, where the keeper had met him. See (4) below.",
        f"(4) {TEXT}",
        "CHAPTER II",
        TEXT,
    ]
    account(book)
    read = spoken(read_text(tmp_path, "x.txt", NOTES, ReadOptions(notes="inline")))
    assert read[2:6] == [
        "[Footnote A: See the second volume.",
        "The second paragraph of this note.]",
        "(2) He was eighty.",
        "{3} This was in May.",
    ]


def test_numbered_notes_behind_the_book_need_their_marks(tmp_path: Path) -> None:
    notes = "NOTES\n\n1. The lamp was old.\n2. The quay was new.\n"
    marked = read_text(tmp_path, "x.txt", f"CHAPTER I\n\nThe lamp[1] stood on the quay.[2]\n\n{notes}")
    assert spoken(marked) == ["CHAPTER I", "The lamp stood on the quay."]
    unmarked = read_text(tmp_path, "x.txt", f"CHAPTER I\n\nThe lamp stood on the quay.\n\n{notes}")
    assert "NOTES" in spoken(unmarked)
    assert not reasons(unmarked)


def test_a_text_of_verse_alone_keeps_its_lines(tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.txt", f"THE BOAT\n\n{STANZA}\n{STANZA}\n{STANZA}")
    assert [block.kind for block in book.blocks()] == ["paragraph", "verse", "verse", "verse"]
    assert spoken(book)[1] == STANZA.strip()


def test_long_lines_of_verse_between_prose_keep_their_ends(tmp_path: Path) -> None:
    stanza = STANZA.replace("boat", "little fishing boat").replace("And", "And yet and")
    book = read_text(tmp_path, "x.txt", f"{PARAGRAPH}\n{stanza}\n{PARAGRAPH}\n{PARAGRAPH}")
    assert [block.kind for block in book.blocks()] == ["paragraph", "verse", "paragraph", "paragraph"]


def test_numbers_of_lines_of_verse_are_skipped(tmp_path: Path) -> None:
    lines = STANZA.strip().split("\n") * 5
    numbered = [f"{line:<60}{n}" if n % 5 == 0 else line for n, line in enumerate(lines, 1)]
    book = read_text(tmp_path, "x.txt", "CANTO I\n\n" + "\n".join(numbered))
    assert spoken(book) == ["CANTO I", "\n".join(lines)]
    assert reasons(book) == {"page number": "5 10 15 20"}
    table = "Ada      30\nJack     41\nJill     52\nJohn     63"
    assert "Ada 30" in spoken(read_text(tmp_path, "y.txt", f"{table}\n\n{PARAGRAPH}"))[0]


@pytest.mark.parametrize("end", ["\n\f\n", "\f\n", " \n\n\f\n"])
def test_numbers_right_before_a_form_feed_are_those_of_pages(end: str, tmp_path: Path) -> None:
    pages = [f"{PARAGRAPH}\n{PARAGRAPH}\n{number}{end}" for number in range(7, 12)]
    book = read_text(tmp_path, "x.txt", "CHAPTER I\n\n" + "".join(pages))
    assert spoken(book) == ["CHAPTER I", *[TEXT] * 10]
    assert reasons(book) == {"page number": "7 8 9 10 11"}


def test_numbers_of_chapters_behind_a_form_feed_are_headings(tmp_path: Path) -> None:
    text = "\f".join(f"\n{number}\n\n{PARAGRAPH}\n{PARAGRAPH}\n" for number in range(1, 5))
    assert [chapter.title for chapter in read_text(tmp_path, "x.txt", text).chapters] == ["1", "2", "3", "4"]


def test_numbers_at_the_begin_of_rows_of_prose_are_spoken(tmp_path: Path) -> None:
    rows = [
        f"{n}  men were seen on the road to the south, of whom half had horses\n{PARAGRAPH}" for n in (4, 8, 12, 16)
    ]
    book = read_text(tmp_path, "x.txt", "CHAPTER I\n\n" + "\n".join(rows))
    assert [line.split()[0] for line in spoken(book)[1:]] == ["4", "8", "12", "16"]
    assert reasons(book) == {}


@pytest.mark.parametrize("word", ["Sidenote", "SIDENOTE", "Side-note", "Marginal note", "Margin Note", "Footnote"])
def test_notes_without_a_mark_are_skipped(word: str, tmp_path: Path) -> None:
    notes = f"[{word}: The lamp\n\nis lit [1066].]\n\n[{word}: Who\ncame] {PARAGRAPH}\n"
    text = f"CHAPTER I\n\n{notes}The lamp was\n\n[{word}: Oil.]\n\nlit early[{word}: In May.]. See [there].\n"
    book = read_text(tmp_path, "x.txt", text)
    assert spoken(book) == ["CHAPTER I", TEXT, "The lamp was lit early. See [there]."]
    assert list(reasons(book)) == ["note"]
    account(book)
    read = " ".join(spoken(read_text(tmp_path, "x.txt", text, ReadOptions(notes="inline"))))
    assert f"[{word}: Oil.]" in read and f"early[{word}: In May.]. See" in read


def test_text_behind_a_note_in_its_paragraph_is_spoken(tmp_path: Path) -> None:
    text = f"CHAPTER I\n\nThe king[1] died.\n\n[Footnote 1: In\nbed.] {PARAGRAPH}"
    book = read_text(tmp_path, "x.txt", text)
    assert spoken(book) == ["CHAPTER I", "The king died.", TEXT]


def test_a_transcribers_note_inside_a_paragraph_is_skipped(tmp_path: Path) -> None:
    book = read_text(
        tmp_path, "x.txt", "CHAPTER I\n\nIt was teh [Transcriber's Note: so in the\noriginal] lamp [TN: sic]."
    )
    assert spoken(book) == ["CHAPTER I", "It was teh lamp."]
    assert list(reasons(book)) == ["transcriber's note"]


@pytest.mark.parametrize("text", ["[Sidenote: An open end", "The sidenote: it was lost.", "[Side: the left]"])
def test_what_only_looks_like_a_note_without_a_mark_is_read(text: str, tmp_path: Path) -> None:
    assert not reasons(read_text(tmp_path, "x.txt", f"CHAPTER I\n\n{text}\n\n{PARAGRAPH}"))


def test_a_short_poem_with_lines_that_are_set_in_by_turns_keeps_its_lines(tmp_path: Path) -> None:
    stanza = "The boat goes out upon the tide,\n  And all the quay is grey;\nThe keeper sees the water wide,\n  And thinks of yesterday."
    book = read_text(tmp_path, "x.txt", f"{stanza}\n\n{stanza}\n")
    assert spoken(book) == [stanza.replace("\n  ", "\n")] * 2


def test_signs_of_money_in_italics_are_read_without_their_underscores(tmp_path: Path) -> None:
    book = read_text(tmp_path, "x.txt", "He paid 5_l._ 10_s._ for the snake_case_ boat.")
    assert spoken(book) == ["He paid 5l. 10s. for the snake_case_ boat."]


def test_numbers_of_lines_before_the_lines_of_a_poem_are_skipped(tmp_path: Path) -> None:
    verse = [f"Upon the {word} harbour and the wall," for word in ("old", "new", "dim", "red", "far") * 4]
    text = "\n".join(f"{n if n % 5 == 0 else '':>4}  {line}" for n, line in enumerate(verse, 1))
    book = read_text(tmp_path, "x.txt", f"THE WALL\n\n{text}\n")
    assert reasons(book)["page number"] == "5 10 15 20"
    assert spoken(book)[1].split("\n") == verse


def test_each_message_of_a_chat_is_a_paragraph(tmp_path: Path) -> None:
    text = (
        "[10:32] ada: hi!\n[10:33] bo: hello ada, how are you? I have not seen\nyou since May.\n[10:35:02] ada: fine\n"
    )
    assert spoken(read_text(tmp_path, "x.txt", text)) == [
        "[10:32] ada: hi!",
        "[10:33] bo: hello ada, how are you? I have not seen you since May.",
        "[10:35:02] ada: fine",
    ]
    text = "The ship left at 10:32 from the quay, and the next one of the line at\n10:45 from the pier beside it.\n"
    assert len(spoken(read_text(tmp_path, "x.txt", text))) == 1


def test_a_list_of_acts_in_one_paragraph_is_no_heading(tmp_path: Path) -> None:
    scenes = "THE SCENES OF THE PLAY\n\nACT I.  A quay at night.\nACT II.  A house.\n\n\n\n"
    book = read_text(tmp_path, "x.txt", f"{scenes}FIRST ACT\n\n{PARAGRAPH}\nSECOND ACT\n\n{PARAGRAPH}")
    assert [chapter.title for chapter in book.chapters] == ["THE SCENES OF THE PLAY", "FIRST ACT", "SECOND ACT"]
