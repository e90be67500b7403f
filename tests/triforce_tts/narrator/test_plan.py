"""A plan says every word of a book once, and an edit of the book changes only the lines that it touches."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.triforce_tts.narrator.conftest import STORY, MakePlan
from triforce_tts.books.chapters import About, Block, Chapter, ChapterBook, Pause, Reading, account
from triforce_tts.books.read import read_chapters
from triforce_tts.errors import TextError
from triforce_tts.narrator.plan import (
    BREAK_PAUSE_S,
    CHAPTER_PAUSE_S,
    HEADING_PAUSE_S,
    PLAN,
    Plan,
    Planner,
    Speaker,
    one_line,
)
from triforce_tts.narrator.selection import choose_chapters
from triforce_tts.schema import read_record
from triforce_tts.text.phonemes import Lexicon
from triforce_tts.text.tokenizer import TextTokenizer


def test_lines_are_numbered_through_the_book_and_the_plan_is_a_file(
    plan_of: MakePlan, story: Path, tmp_path: Path
) -> None:
    plan = plan_of(story)
    assert [line.number for line in plan.lines] == list(range(1, len(plan.lines) + 1))
    assert [line.text for line in plan.chapters[1].lines][1:] == ["Another day.", "It cost five dollars."]
    plan.write(tmp_path)
    assert read_record(tmp_path / PLAN, Plan) == plan


def test_pauses_follow_what_a_line_ends(plan_of: MakePlan, story: Path) -> None:
    heading, *rest = plan_of(story).chapters[0].lines
    assert heading.pause_s == HEADING_PAUSE_S
    lines = {line.text: line.pause_s for line in rest}
    assert lines["It was dark, and the wind rose."] == BREAK_PAUSE_S
    assert lines["The end of, this."] == CHAPTER_PAUSE_S
    assert lines["Mister Green walked out in eighteen eighty four."] < HEADING_PAUSE_S


def test_all_words_of_a_book_are_counted(plan_of: MakePlan, story: Path) -> None:
    book = read_chapters(story)
    plan = plan_of(book)
    assert plan.spoken_words == account(book).spoken
    some = plan_of(book, "2")
    assert some.spoken_words == book.chapters[1].words
    assert some.skipped_words["chapter not chosen"] == plan.spoken_words - some.spoken_words
    assert [line.number for line in some.lines] == [line.number for line in plan.chapters[1].lines]


def test_equal_sentences_get_seeds_of_their_own(plan_of: MakePlan, story: Path) -> None:
    same = [line for line in plan_of(story).lines if line.text.startswith('"Yes')]
    assert len(same) == 2
    assert same[0].seed != same[1].seed
    assert same[0].key != same[1].key


def test_an_edit_changes_only_its_lines(plan_of: MakePlan, story: Path) -> None:
    before = [line.key for line in plan_of(story).lines]
    story.write_text(
        STORY.replace("Another day.", "A quite different day.").replace("It was dark", "Rain fell. It was dark")
    )
    after = [line.key for line in plan_of(story).lines]
    assert len(set(after) - set(before)) == 2
    assert [key for key in after if key in before] == [key for key in before if key in after]


def test_a_key_changes_with_all_that_a_sound_depends_on(speaker: Speaker) -> None:
    line = one_line("It rains.", speaker)
    key = speaker.key_of(line, 1)
    assert speaker.key_of(line, 1) == key
    others = [
        speaker.key_of(line, 2),
        speaker.key_of(one_line("It rained.", speaker), 1),
        speaker.key_of(replace(line, tokens=line.tokens[::-1]), 1),  # another lexicon
        replace(speaker, identity="another voice").key_of(line, 1),
    ]
    assert len({key, *others}) == 5


def test_text_without_a_reading_is_listed(plan_of: MakePlan) -> None:
    blocks = (Block("paragraph", "日本語", pieces=(0,)), Block("paragraph", "He said 日本 and left.", pieces=(1,)))
    book = ChapterBook(About(), (Chapter("One", blocks),), (), ("日本語", "He said 日本 and left."))
    plan = plan_of(book)
    assert [(part.text, part.reason) for part in plan.skipped] == [
        ("日本語", "no English reading"),
        ("日本", "no English reading"),
    ]
    assert plan.spoken_words == 4


def test_signs_without_a_reading_are_listed_and_are_no_words(plan_of: MakePlan) -> None:
    text = "He smiled 😀 and 日本 left 🎉😀, with 5 ★."
    blocks = (Block("paragraph", text, pieces=(0,)), Block("paragraph", "🚀", pieces=(1,)))
    plan = plan_of(ChapterBook(About(), (Chapter("One", blocks),), (), (text, "🚀")))
    assert [(part.text, part.words) for part in plan.skipped] == [("日本", 1), ("😀🎉", 0), ("🚀", 0)]
    assert plan.skipped_signs == "😀🎉🚀"
    assert plan.skipped_words == {"no English reading": 1}


def test_front_matter_can_be_left_out(plan_of: MakePlan) -> None:
    chapters = (
        Chapter("Preface", (Block("paragraph", "I thank you.", pieces=(0,)),), front=True),
        Chapter("One", (Block("paragraph", "It began.", pieces=(1,)),)),
    )
    book = ChapterBook(About(), chapters, (), ("I thank you.", "It began."))
    assert [line.text for line in plan_of(book, front=False).lines] == ["It began."]
    with pytest.raises(TextError, match="choose others with --chapters"):
        plan_of(book, "1", front=False)


def test_phonemes_are_kept_and_other_braces_are_brackets(plan_of: MakePlan) -> None:
    text = "A {T AH0 M EY1 T OW0} is {red} or {green."
    book = ChapterBook(About(), (Chapter("One", (Block("paragraph", text, pieces=(0,)),)),), (), (text,))
    (line,) = plan_of(book).lines
    assert line.text == "A {T AH0 M EY1 T OW0} is, red, or, green."


def test_formulas_are_read_as_what_they_mean(plan_of: MakePlan) -> None:
    text = r"By $\frac{a + b}{c_{1}}$ it is {red}. Then \emph{nothing else} follows."
    book = ChapterBook(About(), (Chapter("One", (Block("paragraph", text, pieces=(0,)),)),), (), (text,))
    assert [line.text for line in plan_of(book).lines] == [
        "By a plus b over c sub one it is, red.",
        "Then nothing else follows.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        r"We know $$ \text{for all } n! \quad \text{Is it {\it so}? No. } x_{1} $$ here.",
        r"So \footnote{See Knuth! He says it. \emph{So} it is. Yes.} holds.",
        r"$$\begin{align}" + r"a_{i + 1} &= \frac{b + i}{c - d_{n + i}} \\ " * 80 + r"\end{align}$$ ends.",
        r"Use \begin{verbatim} some code words \end{verbatim} here.",
        r"This is 50\% of $\alpha % comment words$ and more words.",
        r"The function \foo{bar} and \bar{foo} are words.",
        r"An open \frac{a}{b and \emph{words} or } {T AH0 M EY1 T OW0} $x_{1}.",
    ],
)
def test_no_formula_stops_a_book_and_no_word_of_prose_in_it_is_lost(text: str, plan_of: MakePlan) -> None:
    book = ChapterBook(About(), (Chapter("One", (Block("paragraph", text, pieces=(0,)),)),), (), (text,))
    said = " ".join(line.text for line in plan_of(book).lines)
    prose = {"Knuth", "says", "holds", "some", "code", "words", "here", "comment", "more", "ends", "bar", "or"}
    for word in prose & set(re.findall(r"(?<!\\)\b[A-Za-z]+", text)):
        assert word in said


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [(None, [1, 2, 3, 4]), ("2", [2]), ("3-", [3, 4]), ("1, 3 - 4", [1, 3, 4]), ("4,1-2,2", [1, 2, 4])],
)
def test_chapters_are_chosen(wanted: str | None, numbers: list[int]) -> None:
    assert choose_chapters(wanted, 4) == numbers


@pytest.mark.parametrize("wanted", ["", "0", "5", "3-2", "-3", "a", "1-9", "2,,3", "1-2-3", "²", "9" * 5000, "--"])
def test_wrong_chapters_are_refused(wanted: str) -> None:
    with pytest.raises(TextError, match=r"--chapters .* from 1 to 4"):
        choose_chapters(wanted, 4)


def test_pauses_that_a_text_asks_for_take_the_place_of_the_usual_ones(plan_of: MakePlan, tmp_path: Path) -> None:
    path = tmp_path / "pauses.txt"
    path.write_text(
        "CHAPTER I\n\nOne. [pause 3s] Two,[pause 500ms] three.\n\n[pause 4s]\n\n[pause 1s] Four.\n\n* * *\n\n"
        "[pause 0s] Five. Six [pause 2s][pause 1s]\n\nCHAPTER II\n\n[pause 7s]\n\nSeven.\n"
    )
    plan = plan_of(path)
    pauses = {line.text: line.pause_s for line in plan.lines}
    assert [pauses[word] for word in ("One.", "Two", "three.", "Four.", "Six", "chapter two", "Seven.")] == [
        3.0, 0.5, 5.0, 0.0, 3.0, 7.0, CHAPTER_PAUSE_S
    ]  # fmt: skip
    assert pauses["Five."] < HEADING_PAUSE_S
    assert plan.skipped_words["mark of a pause"] == 16


def test_phones_of_the_book_are_spoken_and_the_written_words_stay(
    plan_of: MakePlan, speaker: Speaker, tmp_path: Path
) -> None:
    block = Block(
        "list", "The quay’s end. {K AE1 T} and quay of St. John. Go.", marker="3.",
        readings=(Reading(4, 8, "K IY1"), Reading(30, 34, "K IY1"), Reading(38, 46, "S IH1 N JH AH0 N")),
        pauses=(Pause(25, 1.5),),
    )  # fmt: skip
    book = ChapterBook(About(), (Chapter("One", (block,)),), ())
    plan = plan_of(book)
    assert [(line.source, line.text) for line in plan.lines] == [
        ("3. The quay’s end.", "three. The {K IY1}'s end."),
        ("{K AE1 T}", "{K AE1 T}"),
        ("and quay of St. John.", "and {K IY1} of {S IH1 N JH AH0 N}."),
        ("Go.", "Go."),
    ]
    assert plan.lines[1].pause_s == 1.5
    assert plan.spoken_words == book.chapters[0].words
    own = replace(speaker, tokenizer=TextTokenizer(Lexicon({"quay": ("K", "W", "EY1")})))
    planner = Planner(own, lambda text, occurrence: None)
    assert (
        planner.chapter(book.chapters[0], 1, True).lines[0].text == "three. The quay's end."
    )  # the user's own goes first
