"""Judges by the words and the shape of a paragraph whether it is a heading, a title, or running text."""

import re
from collections.abc import Sequence
from typing import Literal

from .chapters import count_words, letters
from .numerals import CARDINAL, NUMBER, ORDINAL, ROMAN, number_value

HeadingKind = Literal["part", "chapter", "named", "series", "scene"]
_CHAPTER_WORDS = "CHAPTER|CHAP\\.|ACT|STAVE|CANTO|LETTER|SECTION|STORY|ADVENTURE|FIT|LECTURE|EPISODE"
# These words count chapters only where they count up, for they begin sentences, too.
SERIES_WORDS = "DAY|NIGHT|WEEK|EVENING|TALE|LESSON|DIALOGUE|SERMON|ESSAY|FABLE|VISION|JOURNEY|INTERVIEW"
_PART_WORDS = r"BOOK|PART|VOLUME|VOL\."
_WORDS: dict[HeadingKind, str] = {"part": _PART_WORDS, "chapter": _CHAPTER_WORDS, "series": SERIES_WORDS, "scene": "SCENE"}  # fmt: skip
PATTERNS = {
    kind: re.compile(
        rf"(?:(?:{words})\s+(?:THE\s+)?(?P<number>{NUMBER})(?![\w'’])(?P<rest>.*)"
        rf"|(?:THE\s+)?(?P<ordinal>{ORDINAL})\s+(?:{words})(?![\w'’])(?P<behind>.*))",
        re.IGNORECASE | re.DOTALL,
    )
    for kind, words in _WORDS.items()
}
_COUNTED = re.compile(rf"({_CHAPTER_WORDS}|SCENE)\s+{NUMBER}(?![\w'’])", re.IGNORECASE)
_OF_PLAY = (
    r"DRAMATIS PERSON(?:AE|Æ)|(?:THE )?PERSONS (?:OF|IN) THE (?:PLAY|DRAMA|COMEDY|TRAGEDY|STORY)|PERSONS REPRESENTED|"
    r"(?:THE )?CHARACTERS (?:OF|IN) THE (?:PLAY|STORY)|(?:THE )?CAST OF CHARACTERS|(?:THE )?SCENES OF THE PLAY"
)
_NAMED = re.compile(
    rf"(?:{_OF_PLAY}|PROLOGUE|EPILOGUE|PREFACE|INTRODUCTION|FOREWORD|AFTERWORD|DEDICATION|APPENDIX|CONCLUSION|POSTSCRIPT|INTERLUDE|PRELUDE|"
    r"GLOSSARY|ACKNOWLEDGE?MENTS?|AUTHOR['’]S NOTE)"
    r"(?P<sign>[.:]?)(?P<rest>(?:\s+\S.*)?)",
    re.IGNORECASE | re.DOTALL,
)
# A list of persons, if the first act or scene of a play follows.
CHARACTERS = re.compile(r"(?:THE )?CHARACTERS[.:]?", re.IGNORECASE)
BEGINS_PLAY = re.compile(rf"(?:(?:ACT|SCENE)\s+{NUMBER}|(?:FIRST|THE FIRST)\s+(?:ACT|SCENE))(?![\w'’])", re.IGNORECASE)
# What stands before the main text, by its title.
FRONT_TITLE = re.compile(
    rf"(?:PREFACE|FOREWORD|DEDICATION|EPIGRAPH|{_OF_PLAY})(?=\W*$|\s*[:.,—–-]|\s+(?:to|by|for|from)\b)",
    re.IGNORECASE,
)
_OF_A_NAME = re.compile(r"\s+(?:to|by|of|for|from)\s", re.IGNORECASE)
ROMAN_LINE = re.compile(
    rf"(?P<number>{ROMAN})(?P<rest>\.?|[.:—–-]+\s+\S.*|\.[—–-]{{1,2}}\S.*|\.?\s*\n[^\na-z][^\n]*)", re.DOTALL
)
DIGIT_LINE = re.compile(
    r"(?P<number>\d{1,3})(?:[.:)]?|(?:(?:[.:)]|\.?\s[—–-]+)?\s+|\.[—–-]{1,2})(?P<rest>[\"“‘']?[A-Z].{0,70}))"
)
_WORD_LINE = re.compile(rf"{CARDINAL}\.?", re.IGNORECASE)
HASHES = re.compile(r"(#{1,6})\s+\S.*")
_FRAMED = re.compile(r"(?:[_=*~+-]{1,5}|\[)\s*(\w.*?)\s*(?:[_=*~+-]{1,5}|\])", re.DOTALL)
SENTENCE_END = re.compile(r"[.!?][\"”’')\]]*\s+[\"“‘'(]*[A-Z]")
IN_WHICH = re.compile(r"(?:In which|Wherein)\b", re.IGNORECASE)
TITLE_OPENING = re.compile(
    r"(?:In which|Wherein|Containing|Contains|Sh[eo]wing|Treating|Treats|Concerning|Relating|Describing|Giving|Being)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# The end of a sentence, which the mark of a note may follow.
ENDS_SENTENCE = re.compile(r"[.!?:…—-][\"”’')\]_*]*(?:\[\w{1,3}\])?[\"”’')\]_*]*$")
LONGEST_HEADING = 120  # characters
LONGEST_TITLE = 400  # characters of a long title of old times: "CHAPTER I. Wherein the Lamp is Lit, and"
LONGEST_SUBTITLE = 70  # characters
MOST_LINES = 5  # of a long title


def bare(text: str) -> str:
    """A paragraph without the signs around it that mark a heading, and with letters that were set apart joined."""
    framed = _FRAMED.fullmatch(text)
    text = framed[1] if framed else text
    return "\n".join(map(_closed_up, text.split("\n"))) if text[1:2] == " " or "  " in text else text


def _closed_up(line: str) -> str:
    groups = [group.split() for group in re.split(r"\s{2,}", line.strip())]
    apart = [len(group) > 1 and all(len(word) == 1 for word in group) for group in groups]
    if not any(is_apart and len(group) > 3 for group, is_apart in zip(groups, apart, strict=True)):
        return line
    return " ".join(("" if is_apart else " ").join(group) for group, is_apart in zip(groups, apart, strict=True))


def kind_of(text: str) -> HeadingKind | None:
    """The kind of heading that a paragraph is by its words, if it is one."""
    if len(text) > LONGEST_TITLE or text.count("\n") >= MOST_LINES:
        return None
    if _is_list_of_counted(text):
        return None
    is_long = len(text) > LONGEST_HEADING or text.count("\n") > 2
    for kind, pattern in PATTERNS.items():
        match = pattern.fullmatch(text)
        if match is not None and not text[0].islower():
            fits = _is_title(match["rest"], kind, text) if match["number"] else _is_reversed(match, text)
            if fits and (not is_long or (kind in ("part", "chapter") and _is_long_title(match["rest"]))):
                return kind
    named = _NAMED.fullmatch(text)
    return "named" if named and not is_long and not text[0].islower() and _is_name(named, text) else None


def characters_of_play(texts: Sequence[str], candidates: Sequence[int], first: int) -> list[int]:
    """The heading "CHARACTERS" among ``candidates``, if only a list stands between it and the ``first`` heading, which begins a play."""
    if not BEGINS_PLAY.match(texts[first] if texts else ""):
        return []
    found = [n for n in candidates if n < first and CHARACTERS.fullmatch(texts[n])]
    return [n for n in found[-1:] if not any(map(is_prose, texts[n:first]))]


def _is_list_of_counted(text: str) -> bool:
    """Whether two lines or more are each counted by the same word, such as the acts of a play in a list of its scenes."""
    heads = [_COUNTED.match(line) for line in text.split("\n")] if "\n" in text else []
    return len(heads) > 1 and all(heads) and len({head[1].upper() for head in heads if head}) == 1


def _is_title(rest: str, kind: HeadingKind, text: str) -> bool:
    """Whether what stands behind a number is a title. "Chapter three of this book was" is a sentence: a title begins with a
    capital letter or behind a sign."""
    rest = rest.strip()
    if kind == "scene":
        return not rest or not rest[0].islower() or text.isupper() or text.startswith("SCENE")
    if kind == "series" and rest and not text.isupper() and rest[0] not in ".:—–-\n" and not is_title_case(rest):
        return False
    sentence = bool(rest) and (rest[0].islower() or (rest[0] == "," and rest[1:].strip()[:1].islower()))
    return not sentence and rest[-1:] not in (",", ";")


def _is_reversed(match: re.Match[str], text: str) -> bool:
    """Whether "THE EIGHTH CHAPTER" is a heading: it needs capital letters and nothing or a sign behind it."""
    rest = match["behind"].strip()
    head = re.sub(r"\d+\w*", "", text[: match.start("behind")])
    return (not rest or rest[0] in ".:—–-") and is_title_case(head) and rest[-1:] not in (",", ";")


def _is_long_title(rest: str | None) -> bool:
    """Whether a paragraph behind a number is a title of several lines: one sentence behind a sign, or in capital letters."""
    rest = (rest or "").strip()
    title = rest.lstrip(".:—–- ")
    is_below = title[:1] == "\n" or title == rest
    if is_below and not (rest.isupper() or IN_WHICH.match(title.strip())):
        return False
    return not SENTENCE_END.search(title)


def _is_name(named: re.Match[str], text: str) -> bool:
    """Whether a paragraph that begins with "Introduction" is a heading and no sentence."""
    rest = named["rest"].strip()
    if not rest or text.isupper():
        return True
    if rest[0].islower():
        return bool(_OF_A_NAME.match(named["rest"])) and not named["sign"] and not ENDS_SENTENCE.search(rest)
    if named["sign"] == ".":
        return True
    return not rest.endswith((".", ",", ";")) or is_title_case(rest)


def is_title_case(text: str) -> bool:
    """Whether every longer word begins with a capital letter, as in "A Visitor to the Quay"."""
    words = _WORD.findall(text)
    return bool(words) and not words[0][0].islower() and all(len(w) < 4 or not w[0].islower() for w in words) and (
        len(words) == 1 or sum(not w[0].islower() for w in words) * 2 >= len(words)
    )  # fmt: skip


def chapter_count(text: str) -> tuple[str, int | None]:
    """The word and the number of a heading of a chapter: those of "ACT II." and "SECOND ACT" are equal."""
    match = PATTERNS["chapter"].fullmatch(text)
    if match is None:
        return text, None
    word = re.search(_CHAPTER_WORDS, text, re.IGNORECASE)
    return word[0].upper() if word else "", number_value(match["number"] or match["ordinal"])


def is_number_only(text: str) -> bool:
    """Whether a heading is a number without a title: "CHAPTER I.", "IV", "7"."""
    for kind, pattern in PATTERNS.items():
        if kind != "scene" and (match := pattern.fullmatch(text)):
            return not letters(match["rest"] or match["behind"] or "")
    if named := _NAMED.fullmatch(text):
        return not letters(named["rest"])
    number = ROMAN_LINE.fullmatch(text) or DIGIT_LINE.fullmatch(text)
    return is_number_word(text) or (number is not None and not letters(number["rest"] or ""))


def is_number_word(text: str) -> bool:
    """Whether a line is a number in words alone, with capital letters: "TWO", "Twenty-One"."""
    return text[:1].isupper() and bool(_WORD_LINE.fullmatch(text))


def is_prose(text: str) -> bool:
    """Whether a paragraph is running text: it is long enough and ends as a sentence does."""
    return len(text) > 80 and bool(ENDS_SENTENCE.search(text)) and count_words(text) >= 12 and not text.isupper()


def divides_sentence(before: str, behind: str) -> bool:
    """Whether what stands between two paragraphs stands inside a sentence."""
    return not ENDS_SENTENCE.search(before) and behind[:1].islower()


def heading_lines(lines: Sequence[str]) -> int:
    """The number of lines that are a heading with text right below it; zero if the paragraph is no such thing."""
    if len(lines) < 3 or kind_of("\n".join(lines)) is not None or any(kind_of(line) for line in lines[1:]):
        return 0
    kind = kind_of(lines[0])
    if kind not in ("part", "chapter") and not (kind == "named" and lines[0].isupper()):
        return 0
    is_titled = is_number_only(lines[0]) and len(lines[1]) <= LONGEST_SUBTITLE and len(lines[1]) < 0.75 * len(lines[2])
    count = 2 if is_titled and lines[1][-1:] not in ",;-" and is_title_case(lines[1]) else 1
    return 0 if lines[count][:1].islower() else count
