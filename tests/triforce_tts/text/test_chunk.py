import random
import textwrap
import time

import pytest

from triforce_tts.text.chunk import (
    CLAUSE_PAUSE_S,
    PARAGRAPH_PAUSE_S,
    SENTENCE_PAUSE_S,
    WORD_PAUSE_S,
    split_clauses,
    split_sentences,
)
from triforce_tts.text.normalize import is_speakable


@pytest.mark.parametrize(
    "text, chunks",
    [
        ("", []),
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ("It was Jan. 5th. Dr. Watson came.", ["It was Jan. 5th.", "Dr. Watson came."]),
        ("See Fig. 3 of No. 5, by J. K. Rowling. Next.", ["See Fig. 3 of No. 5, by J. K. Rowling.", "Next."]),
        ("It costs $3.50. Cheap.", ["It costs $3.50.", "Cheap."]),
        ("It is 5 MM. Tools fit. MM. Hall and Lee left.", ["It is 5 MM.", "Tools fit.", "MM. Hall and Lee left."]),
        ("It cost approx. 5 dollars. Max. 3 of us. Then.", ["It cost approx. 5 dollars.", "Max. 3 of us.", "Then."]),
        ("In Rm. 5, see Eq. (5) and Figs. 3 and 4. End.", ["In Rm. 5, see Eq. (5) and Figs. 3 and 4.", "End."]),
        ("On Tues. 3 March he left. It was Tues. He came.", ["On Tues. 3 March he left.", "It was Tues.", "He came."]),
        ("I. Introduction\nII. Methods\nIV. Ends", ["I. Introduction", "II. Methods", "IV. Ends"]),
        ("It ended.¹ The next.² One.", ["It ended.¹", "The next.²", "One."]),
        ("The shop, est. 1900, is. It took 10 min. Then.", ["The shop, est. 1900, is.", "It took 10 min.", "Then."]),
        ("A title\n\nThen text\nover lines.", ["A title", "Then text\nover lines."]),
        ("Windows\r\n\r\nline ends", ["Windows", "line ends"]),
        ("Say {T AH0 M}. Go.", ["Say {T AH0 M}.", "Go."]),
        ("Yes. *** No.", ["Yes.", "*** No."]),
        ("*** Yes. \n\n * * * \n\n No.", ["*** Yes. \n\n * * *", "No."]),
        ("***", ["***"]),
        ("  \n\n ", [""]),
        ("“Stop!” he said. “Why?”", ["“Stop!” he said.", "“Why?”"]),
        (
            "Oh! my dear ears. Alas! poor Yorick. No! He left.",
            ["Oh! my dear ears.", "Alas! poor Yorick.", "No!", "He left."],
        ),
        ("「はい。」と言った！そうか？はい。", ["「はい。」", "と言った！", "そうか？", "はい。"]),
        ("J.\u2028Smith left.", ["J.\u2028Smith left."]),  # the library crashes on this text
    ],
)
def test_sentences(text, chunks):
    found = split_sentences(text)
    assert [chunk.text for chunk in found] == chunks
    assert "".join(chunk.source for chunk in found) == text


WRAPPED = """\
They came at last to the edge of the wood, where the road to the town of
Hambury left the river, and there they stood and looked down on the roofs of
London, as Mr. Pell called it, although the city lay a day to the south and
I knew it.
"""
VERSE = "The rain came down on Monday,\nIt rained on Tuesday too\nBut Wednesday was a sun day\nAs bright as it was blue"


@pytest.mark.parametrize(
    "text, chunks",
    [
        # If a small letter follows an ellipsis, a bracket or a quotation, the sentence continues.
        ("She paused… and went on… At last.", ["She paused… and went on…", "At last."]),
        ("Rao et al. [12] showed it. So did Li [3] in part.", ["Rao et al. [12] showed it.", "So did Li [3] in part."]),
        ("“Well…” he began. “No!” she cried.", ["“Well…” he began.", "“No!” she cried."]),
        ("It was A. B. C. Dunn. He ran.", ["It was A. B. C. Dunn.", "He ran."]),
        # These lines stand alone.
        ("Plum\nPear\nQuince", ["Plum", "Pear", "Quince"]),
        ("two eggs\nflour\nsome salt", ["two eggs", "flour", "some salt"]),
        ("You need:\n- a hammer\n- two nails", ["You need:", "- a hammer", "- two nails"]),
        ("1. Open it\n2. Close it\n3) Go", ["1. Open it", "2. Close it", "3) Go"]),
        ("Name: Ann\r\nTown: York", ["Name: Ann", "Town: York"]),
        ("The First Night\n" + WRAPPED, ["The First Night", WRAPPED.strip()]),
        (
            "THE LONG WAY HOME FROM THE SEA TO THE HILLS\nIt rained.",
            ["THE LONG WAY HOME FROM THE SEA TO THE HILLS", "It rained."],
        ),
        (VERSE, ["\n".join(VERSE.splitlines()[:2]), *VERSE.splitlines()[2:]]),
        # Prose that is wrapped into lines is one text.
        (WRAPPED, [WRAPPED.strip()]),
        ("He went to\nParis, and then to\nRome.", ["He went to\nParis, and then to\nRome."]),
        ("A short line\nthat goes on", ["A short line\nthat goes on"]),
    ],
)
def test_lines_and_endings(text, chunks):
    found = split_sentences(text, 400)
    assert [chunk.text for chunk in found] == chunks
    assert "".join(chunk.source for chunk in found) == text
    assert all(chunk.pause_s >= SENTENCE_PAUSE_S for chunk in found)


@pytest.mark.parametrize(
    "text",
    [
        # A full stop behind an abbreviation or a numeral ends no sentence before a small letter.
        "King Otto III. was old.",
        "She read vol. ii. of the work, and Chap. iv. with it.",
        "They ate bread, figs, &c. and then slept.",
        "Yours of the 4th inst. came today.",
        "The 9th Regt. of foot left on Tues. at noon.",
        "It weighs approx. ten lbs. more.",
        "We lived in Calif. where it is warm.",
        "It was 3 in. thick and a 4-in. board.",
        "it was vol. ii. of it.",
        # A name or a number belongs to the abbreviation before it.
        "So Lieut. Hall met Thos. Reed, Wm. Pratt and Jas. Ward.",
        "They saw Ste. Anne and Bro. Felix.",
        "So Lieut.-Col. Hall came.",
        "See Bk. 3, lat. 51° and Chap. IV here.",
        "Read 1 Cor. xiii. 4 and Luke ii. 14 aloud.",
        "See Act ii. Sc. 3 again.",
        # Pounds, shillings and pence are one sum.
        "It cost £4 7s. 3d. or 12s. 6½d. a day.",
        "He had £3. 10s. with him.",
        # Laws, screenplays, and what follows a short word.
        "Under Fed. R. Civ. P. 12(b)(6), it fell.",
        "It was 410 F. Supp. 2d 123 (9th Cir. 1999), he said.",
        "INT. HOUSE - DAY",
        "We saw Dr. No (1962) again.",
        "It begins at 10 a.m. EST, or 5 p.m. Eastern on Monday.",
        "Tel. 555-1234.",
        "See Pub. L. 111-14, 124 Stat. 119 (2010), App. B, and Ex. C.",
        "It rained on Tues. 4th and Weds.",
        "Add 1/2 tsp. salt, and 2 Tbsp. olive oil.",
        "See fn. 12 and vv. 3-5, from Jan.–Mar. 2020 on.",
        # The number of a move of chess, and an ingredient behind its amount.
        "White played 12. O-O and Black replied 12... O-O-O.",
        "1. e4 e5 2. Nf3 Nc6 3. Bb5 a6",
        "8 oz. Cheddar cheese, grated",
        "Haydn's sonata Hob. XVI:52 is grand.",
        # Days in a list, an episode, an appendix and a rank.
        "Open Mon., Wed. & Fri. at noon.",
        "The temp. dropped in season 2, Ep. 3 and App. A, too.",
        "So Assoc. Prof. Lee came.",
        # A mark that follows shows that the sentence goes on.
        "They paid 9s.; we paid £2 4s., too.",
    ],
)
def test_an_open_stop_ends_no_sentence(text):
    assert [chunk.text for chunk in split_sentences(text)] == [text]


@pytest.mark.parametrize(
    "chunks",
    [
        # Who forgets capitals still ends sentences with full stops.
        ["i went out.", "then i slept.", "it rained all day."],
        ["We left the house.", "they stayed there."],
        # A name may begin with a small letter, and the number of an item may stand alone.
        ["It is new.", "iPhone owners know."],
        ["The long yard.", "two.", "The short yard."],
        ["We wrote to the Supt. of it.", "He came."],
        ["He asked the Lieut.", "He came."],
        ["He was in his 20s.", "He was young."],
        ["I saw Henry VIII.", "He was large."],
        ["Thanks, Bro.", "Tell me."],
        ["It was late.", "—And then?"],
    ],
)
def test_a_stop_that_ends_a_sentence_still_does(chunks):
    assert [chunk.text for chunk in split_sentences(" ".join(chunks))] == chunks


def test_wrapping_does_not_move_a_pause():
    words = [
        *["the", "of", "a", "Rome", "Paris", "and", "Ann", "was", "left", "it", "in"],
        "house",
        "mountain",
        "Wednesday",
        "walked.",
    ]
    rng = random.Random(0)
    for _ in range(40):
        text = "He " + " ".join(rng.choice(words) for _ in range(90)) + "."
        wrapped = textwrap.fill(text, rng.choice([55, 65, 72, 80]))
        assert [chunk.text.split() for chunk in split_sentences(wrapped, 10_000)] == [
            chunk.text.split() for chunk in split_sentences(text, 10_000)
        ]


def test_pauses():
    found = split_sentences("One. Two!\n\nFor; four is a longer part of it, and five. Six", 30)
    assert [(chunk.text, chunk.pause_s) for chunk in found] == [
        ("One.", SENTENCE_PAUSE_S),
        ("Two!", PARAGRAPH_PAUSE_S),
        ("For; four is a longer part of", WORD_PAUSE_S),
        ("it, and five.", SENTENCE_PAUSE_S),
        ("Six", SENTENCE_PAUSE_S),
    ]


def test_the_last_pause_is_a_paragraphs_only_where_the_text_says_so():
    assert split_sentences("One.\n")[-1].pause_s == SENTENCE_PAUSE_S
    assert split_sentences("One.\n\n")[-1].pause_s == PARAGRAPH_PAUSE_S


@pytest.mark.parametrize(
    "text, chunks",
    [
        ("aaaa, bbbb; cccc, dddd", [("aaaa, bbbb;", CLAUSE_PAUSE_S), ("cccc, dddd", SENTENCE_PAUSE_S)]),
        ("aaaa bbbb, cccc dddd", [("aaaa bbbb,", CLAUSE_PAUSE_S), ("cccc dddd", SENTENCE_PAUSE_S)]),
        ("aaaa bbbb — cccc dddd", [("aaaa bbbb —", CLAUSE_PAUSE_S), ("cccc dddd", SENTENCE_PAUSE_S)]),
        ("aaaa bbbb cccc dddd", [("aaaa bbbb cccc", WORD_PAUSE_S), ("dddd", SENTENCE_PAUSE_S)]),
        ("aaaabbbbccccddddeeee", [("aaaabbbbccccddd", WORD_PAUSE_S), ("deeee", SENTENCE_PAUSE_S)]),
        ("aaaa 10,000 bbbb cccc", [("aaaa 10,000", WORD_PAUSE_S), ("bbbb cccc", SENTENCE_PAUSE_S)]),
        (
            "aaaa {T AH0 M EY1 T OW0} b",
            [("aaaa", WORD_PAUSE_S), ("{T AH0 M EY1 T OW0}", WORD_PAUSE_S), ("b", SENTENCE_PAUSE_S)],
        ),
    ],
)
def test_overlong_sentences(text, chunks):
    assert [(chunk.text, chunk.pause_s) for chunk in split_sentences(text, 15)] == chunks


PIECES = [
    "Dr. ",
    "word ",
    "word, ",
    "a",
    "B. ",
    ".",
    "!",
    "?",
    "; ",
    "—",
    " – ",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    " ",
    "“",
    "”",
    "é",
    "😀",
    "日本。",
]
PIECES += [
    "\u2028",
    "\u2029",
    "\x85",
    "\x1c",
    "\x00",
    "\ud800",
    "...",
    "(",
    ")",
    "'",
    '"',
    "\t",
    "5",
    "{AH0}",
    "{T AH0. M}",
    "{",
    "}",
    "\u0301",
]


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_lost(seed):
    rng = random.Random(seed)
    for _ in range(300):
        text = "".join(rng.choice(PIECES) for _ in range(rng.randint(0, 60)))
        found = split_sentences(text, rng.choice([1, 7, 25, 200]))
        assert "".join(chunk.source for chunk in found) == text
        assert all(chunk.text == chunk.source.strip() for chunk in found)
        assert is_speakable(text) == any(is_speakable(chunk.text) for chunk in found)
        if is_speakable(text):
            assert all(is_speakable(chunk.text) for chunk in found)
        assert all(
            chunk.pause_s in (WORD_PAUSE_S, CLAUSE_PAUSE_S, SENTENCE_PAUSE_S, PARAGRAPH_PAUSE_S) for chunk in found
        )


@pytest.mark.parametrize("seed", range(4))
def test_the_bound_holds_and_braces_stay_whole(seed):
    rng = random.Random(seed)
    for _ in range(200):
        words = [
            "a" * rng.randint(1, 30) + rng.choice(["", "", ",", ";", ".", "{AH0 T}"]) for _ in range(rng.randint(1, 60))
        ]
        found = split_sentences(" ".join(words), 40)
        assert all(len(chunk.text) <= 40 for chunk in found)
        assert all(chunk.text.count("{") == chunk.text.count("}") for chunk in found)


def test_the_bound_must_be_positive():
    with pytest.raises(ValueError, match="max_characters is 0"):
        split_sentences("a", 0)


@pytest.mark.parametrize("piece", ["a. ", "(", "a", "“", "\n", " ", ", ", "{", "{}", "Mr. ", "\n ", "a,", "é"])
def test_long_input_is_quick(piece):
    started = time.process_time()
    text = piece * (50_000 // len(piece))
    assert "".join(chunk.source for chunk in split_sentences(text)) == text
    assert time.process_time() - started < 2.0


# ---- clauses for a caller whose piece is too long when spoken ----


def test_a_list_of_large_numbers_is_cut_at_spaces_only():
    numbers = ["$1,234,567.89", "9,876,543,210.12", "1999", "12:30:05", "3/4", "45%"] * 3
    found = split_clauses(" ".join(numbers), 20)
    assert [number for chunk in found for number in chunk.text.split()] == numbers
    assert "".join(chunk.source for chunk in found) == " ".join(numbers)
    assert all(len(chunk.text) <= 20 for chunk in found)


@pytest.mark.parametrize(
    "number", ["1,234,567.89", "$1,234,567,890.12", "5 million", "$3.5 billion", "3:30 p.m", "90%"]
)
@pytest.mark.parametrize("limit", [1, 3, 7])
def test_a_number_is_never_cut(number, limit):
    found = split_clauses(f"aaa {number} bbb", limit)
    assert any(number in chunk.text for chunk in found)


def test_a_very_long_run_of_digits_is_cut_all_the_same():
    assert max(len(chunk.text) for chunk in split_clauses("7" * 1000, 50)) == 50


def test_clauses_have_the_pauses_of_their_marks():
    found = split_clauses("one; two, three four", 5)
    assert [(chunk.text, chunk.pause_s) for chunk in found] == [
        ("one;", CLAUSE_PAUSE_S),
        ("two,", CLAUSE_PAUSE_S),
        ("three", WORD_PAUSE_S),
        ("four", SENTENCE_PAUSE_S),
    ]


def test_every_clause_can_be_spoken():
    assert [chunk.text for chunk in split_clauses("*** a, ***, b, ***", 4)] == ["*** a, ***,", "b, ***"]
    assert split_clauses("", 5) == []
    with pytest.raises(ValueError, match="max_characters is 0"):
        split_clauses("a", 0)


@pytest.mark.parametrize("mark", ["'", "’"])
def test_an_apostrophe_stays_with_the_word_behind_it(mark):
    text = f"{mark}Tis true. {mark}Twas so! {mark}Twill be."
    assert [chunk.text for chunk in split_sentences(text)] == [
        f"{mark}Tis true.",
        f"{mark}Twas so!",
        f"{mark}Twill be.",
    ]
