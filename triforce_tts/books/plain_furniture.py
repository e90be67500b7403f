"""What a text file holds beside the text of the book: numbers of pages, pictures, and notes of the transcriber."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise, zip_longest
from statistics import median
from typing import NamedTuple

from .chapters import count_words, letters
from .plain_headings import divides_sentence, is_title_case
from .plain_lines import SET_OFF, Paragraph, blank_lines

PAGE_MARK = re.compile(r"\[(?:Pg\.?|Page|p\.)\s*(?:\d{1,4}|[ivxlc]{1,7})\]|\{Pg\.? ?\d{1,4}\}", re.IGNORECASE)
_UNSURE_MARK = re.compile(r"\{(?P<braces>\d{1,4})\}|\[(?P<brackets>\d{1,4})\]")
_PAGE_LINE = re.compile(r"(?:[-–—]{1,2}\s*(\d{1,4})\s*[-–—]{1,2}|(?:Page|Pg\.?|p\.)\s+(\d{1,4})|\(?(\d{1,4})\)?)[.]?", re.IGNORECASE)  # fmt: skip
_RUNNING_HEAD = re.compile(
    r"(?:(?P<left>\d{1,4})\s{3,})?(?P<head>[^a-z\n]*[A-Z]{2}[^a-z\n]*?)(?:\s{3,}(?P<right>\d{1,4}))?"
)
_PICTURE_WORDS = r"(?:Illustrations?\b|(?:Decoration|Ornament|Frontispiece|Headpiece|Tailpiece|Blank Page)(?=[\]:.\n]))"
_PICTURE_START = re.compile(rf"\[{_PICTURE_WORDS}", re.IGNORECASE)
PICTURE = re.compile(rf"\[{_PICTURE_WORDS}[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]", re.IGNORECASE)
_MUSIC = re.compile(r"\[Music(?: notation)?[.:]?\]", re.IGNORECASE)
TRANSCRIBER = re.compile(
    r"[\s|\[_*+]*TRANSCRIBER(?:['’]?S['’]?)?\s+(?:END)?NOTES?\b(?P<rest>.*)", re.IGNORECASE | re.DOTALL
)
# Such a note inside a paragraph.
INNER_TRANSCRIBER = re.compile(
    r"\[(?:TRANSCRIBER(?:['’]?S['’]?)?\s+NOTE|TN|T\.N\.)\s*:[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]", re.IGNORECASE
)
# Of these a person speaks who types a book, and one in a story seldom does.
_TYPING = re.compile(
    r"spelling|punctuat|typograph|hyphen|scanned|correct|misprint|proofread|italic|original (?:text|book|edition)|ebook"
    r"|\bchanged to\b|\b(?:footnotes?|illustrations?|full stops?|commas?|quotes?|(?:quotation|quote) marks?|words?) (?:was|were|ha(?:s|ve) been) (?:added|removed|moved|placed)\b",
    re.IGNORECASE,
)
_MOST_NOTE = 60  # paragraphs of a note of the transcriber behind the book
_MOST_FRONT_NOTE = 12  # paragraphs of one before it
_MOST_FRONT_WORDS = 400
_MOST_BRACKET = 12  # paragraphs between a bracket and its end
_MOST_BRACKET_WORDS = 600
_NEXT_PAGES = 10  # the next number of a page is at most so much higher
_FEWEST_PAGES = 3
_HIGHEST_PAGE = 999  # a higher number is rather a year
_CUTS = 0.25  # the least share of the numbers of pages that stand inside a sentence
_FEWEST_MARKS = 5  # fewer marks inside paragraphs are no numbers of pages
_PAGE_WORDS = (60, 800)  # the words of a usual page
_LONGEST_HEAD = 120  # characters of a line above a page


# A title with the number of the page before or behind it: "24 THE KEEPING OF GEESE", "OF PONDS 25".
_TITLE_LINE = re.compile(
    r"(?:(?P<left>\d{1,4})[\s.·|—–-]+)?(?P<head>[^\W\d_][^\n]{2,70}?)(?:[\s.·|—–-]+(?P<right>\d{1,4}))?"
)
_LEAST_LETTERS = 10  # of such a title if it is one word or stands nowhere alone; "SONNET 3" and "July 3" are none
_LEAST_HEADS = 3  # a title that stands nowhere else is a running head if it has so many numbers


class PageNumbers(NamedTuple):
    """The paragraphs that are numbers of pages, and the marks inside paragraphs: a paragraph and a mark."""

    paragraphs: set[int]
    marks: set[tuple[int, str]]


@dataclass(frozen=True)
class _Candidate:
    paragraph: int
    value: int
    mark: str = ""  # a mark inside the paragraph; empty for a whole paragraph


def find_page_numbers(texts: Sequence[str], others: set[int], labels: set[str]) -> PageNumbers:
    """The numbers of pages: marks such as "[Pg 12]", and other numbers that count up through the book.

    ``others`` are the paragraphs that are no numbers of pages, such as headings; ``labels`` are the numbers of notes.
    """
    candidates: list[_Candidate] = []
    paragraphs: set[int] = set()
    heads = running_heads(texts)
    for number, text in enumerate(texts):
        if number in others:
            continue
        if number in heads:
            candidates.append(_Candidate(number, heads[number]))
            continue
        if PAGE_MARK.sub("", text).strip() == "" and text:
            paragraphs.add(number)
        candidates += _candidates_of(number, text, labels)
    # Lines that stand together are a list, for a page lies between two of its numbers.
    lines = {one.paragraph for one in candidates if not one.mark}
    alone = [one for one in candidates if one.mark or not {one.paragraph - 1, one.paragraph + 1} & lines]
    low = [one for one in alone if one.value <= _HIGHEST_PAGE]
    counted = _lines_of_pages([one for one in low if not one.mark], texts)
    counted += _marks_of_pages([one for one in low if one.mark], texts)
    paragraphs |= {one.paragraph for one in counted if not one.mark}
    return PageNumbers(paragraphs, {(one.paragraph, one.mark) for one in counted if one.mark})


def find_page_ends(paragraphs: Sequence[Paragraph], texts: Sequence[str], feeds: Sequence[int]) -> set[int]:
    """The numbers right before a form feed, or at the end of a text that has some, which count up: the last lines of pages."""
    found: list[_Candidate] = []
    for number, (paragraph, behind) in enumerate(zip_longest(paragraphs, paragraphs[1:])):
        at = bisect_left(feeds, paragraph.last - 1)
        is_end = bool(feeds) if behind is None else at < len(feeds) and feeds[at] < behind.first
        if is_end and (match := _PAGE_LINE.fullmatch(texts[number])):
            found.append(_Candidate(number, int(match[1] or match[2] or match[3])))
    return {one.paragraph for one in _counting_up(found)}


def running_heads(texts: Sequence[str]) -> dict[int, int]:
    """The texts that may be the line above a page, with its number: a title that also stands alone, or comes again and again.

    A title with the number one counts songs or exhibits, for the first page of a book has no such line, and so does one whose
    numbers are nearer to each other than pages are. Where most paragraphs begin with small letters, nothing shows where a
    sentence is cut, and all titles are read.
    """
    found: dict[int, tuple[str, int]] = {}
    for number, text in enumerate(texts):
        match = _TITLE_LINE.fullmatch(text) if len(text) <= _LONGEST_HEAD else None
        if match is None or bool(match["left"]) == bool(match["right"]):
            continue
        title = letters(match["head"])
        is_long = " " in match["head"] or len(title) >= _LEAST_LETTERS
        if is_long and (match["head"].isupper() or is_title_case(match["head"])):
            found[number] = (title, int(match["left"] or match["right"]))
    counting = {head for head, page in found.values() if page == 1}
    found = {n: one for n, one in found.items() if one[0] not in counting}
    if len(found) < _FEWEST_PAGES:
        return {}
    counts = Counter(head for head, _ in found.values() if len(head) >= _LEAST_LETTERS)
    alone = {letters(line) for text in texts for line in text.split("\n") if len(line) <= _LONGEST_HEAD}
    heads = {n: page for n, (head, page) in found.items() if head in alone or counts[head] >= _LEAST_HEADS}
    others = [text for n, text in enumerate(texts) if text and not {n, n - 1} & heads.keys()]
    if 2 * sum(text[0].islower() for text in others) > len(others):
        return {}
    counted = _counting_up([_Candidate(n, page) for n, page in heads.items()])
    return heads if len(counted) >= _FEWEST_PAGES and _are_pages(counted, texts) else {}


def _lines_of_pages(candidates: list[_Candidate], texts: Sequence[str]) -> list[_Candidate]:
    """The paragraphs that count up and divide sentences, as pages do; numbers of a story seldom stand inside one."""
    counted = _counting_up(candidates)
    aside = {one.paragraph for one in candidates}
    cuts = 0
    for one in counted:
        before = next((texts[n] for n in range(one.paragraph - 1, -1, -1) if n not in aside), "")
        behind = next((texts[n] for n in range(one.paragraph + 1, len(texts)) if n not in aside), "")
        cuts += bool(before) and divides_sentence(before, behind)
    return counted if cuts and cuts >= _CUTS * len(counted) else []


def _marks_of_pages(candidates: list[_Candidate], texts: Sequence[str]) -> list[_Candidate]:
    """The marks inside paragraphs that count up and stand as far from each other as pages do."""
    counted = _counting_up(candidates)
    if len(counted) < _FEWEST_MARKS or len({one.paragraph for one in counted}) < len(counted):
        return []
    return counted if _are_pages(counted, texts) else []


def _are_pages(counted: list[_Candidate], texts: Sequence[str]) -> bool:
    """Whether numbers that count up stand as far from each other as those of pages do."""
    words = list(accumulate((count_words(text) for text in texts), initial=0))
    sizes = [(words[b.paragraph] - words[a.paragraph]) / (b.value - a.value) for a, b in pairwise(counted)]
    return _PAGE_WORDS[0] <= median(sizes) <= _PAGE_WORDS[1]


def _candidates_of(number: int, text: str, labels: set[str]) -> list[_Candidate]:
    if match := _PAGE_LINE.fullmatch(text):
        return [_Candidate(number, int(match[1] or match[2] or match[3]))]
    head = _RUNNING_HEAD.fullmatch(text) if len(text) <= _LONGEST_HEAD else None
    if head and bool(head["left"]) != bool(head["right"]):
        return [_Candidate(number, int(head["left"] or head["right"]))]
    found = []
    for match in re.finditer(rf"{_UNSURE_MARK.pattern}|{PAGE_MARK.pattern}", text, re.IGNORECASE):
        value = re.search(r"\d+", match[0])
        if value and not (match["brackets"] and match["brackets"] in labels):
            found.append(_Candidate(number, int(value[0]), match[0]))
    return found


def _counting_up(candidates: list[_Candidate]) -> list[_Candidate]:
    """The longest row of candidates that count up, without those that are far from the others."""
    tails: list[int] = []  # for each length, the lowest last value of a row of that length
    places: list[int] = []
    before: list[int] = []
    for place, candidate in enumerate(candidates):
        length = bisect_left(tails, candidate.value)
        before.append(places[length - 1] if length else -1)
        tails[length:] = [candidate.value, *tails[length + 1 :]]
        places[length:] = [place, *places[length + 1 :]]
    row: list[_Candidate] = []
    place = places[-1] if places else -1
    while place >= 0:
        row.append(candidates[place])
        place = before[place]
    row.reverse()
    kept: list[_Candidate] = []
    run: list[_Candidate] = []
    for candidate in row:
        if run and candidate.value - run[-1].value > _NEXT_PAGES:
            kept += run if len(run) >= _FEWEST_PAGES else []
            run = []
        run.append(candidate)
    return kept + (run if len(run) >= _FEWEST_PAGES else [])


def bracketed(texts: Sequence[str], number: int, stops: Callable[[int], bool]) -> int:
    """The number of the paragraph behind a bracket that the paragraph ``number`` opens; that itself, if none closes it."""
    depth, words = 0, 0
    for at in range(number, min(len(texts), number + _MOST_BRACKET)):
        if at > number and stops(at):
            return number
        depth += texts[at].count("[") - texts[at].count("]")
        words += count_words(texts[at])
        if words > _MOST_BRACKET_WORDS:
            return number
        if depth <= 0:
            return at + 1 if texts[at].rstrip().endswith("]") else number
    return number


def find_pictures(texts: Sequence[str], stops: Callable[[int], bool], *, has_music: bool) -> set[int]:
    """The paragraphs that are pictures, with captions of several paragraphs; ``has_music`` says that "[Music]" is one."""
    found: set[int] = set()
    for number, text in enumerate(texts):
        if number in found:
            continue
        if _PICTURE_START.match(text):
            if not PICTURE.sub("", text).strip():
                found.add(number)
            elif not PICTURE.match(text):
                found |= set(range(number, bracketed(texts, number, stops)))
        elif has_music and _MUSIC.fullmatch(text):
            found.add(number)
    return found


def find_transcriber_notes(
    paragraphs: Sequence[Paragraph], texts: Sequence[str], is_heading: Callable[[int], bool]
) -> set[int]:
    """The paragraphs of the transcriber's notes: in brackets or a box, before the first heading, or behind the last one."""
    headings = [n for n in range(len(texts)) if is_heading(n)]
    first, last = (headings[0], headings[-1]) if headings else (0, len(texts))
    found: set[int] = set()
    for number, text in enumerate(texts):
        match = TRANSCRIBER.match(text)
        if number in found or match is None:
            continue
        own = texts[number : number + (1 if match["rest"].strip(" .:_*|=]\n") else _MOST_FRONT_NOTE)]
        if not text.startswith(("[", "|")) and not _TYPING.search("\n".join(own)):
            continue
        if text.startswith("["):
            found |= set(range(number, bracketed(texts, number, is_heading)))
        elif text.startswith("|"):
            found.add(number)
        elif match["rest"].strip(" .:_*|=]\n"):
            found |= {number} if match["rest"].lstrip("_*").startswith((":", ".", "\n")) else set()
        elif number < first:
            end = _end_of_note(paragraphs, texts, number, _MOST_FRONT_NOTE, is_heading)
            words = sum(count_words(texts[n]) for n in range(number, end))
            found |= set(range(number, end)) if words <= _MOST_FRONT_WORDS else set()
        elif number > last:
            found |= set(range(number, _end_of_note(paragraphs, texts, number, _MOST_NOTE, is_heading)))
    return found


def _end_of_note(
    paragraphs: Sequence[Paragraph], texts: Sequence[str], number: int, most: int, is_heading: Callable[[int], bool]
) -> int:
    """The paragraph behind a note: the next heading, line in capital letters or row, or a text behind blank lines."""
    for at in range(number + 1, min(len(texts), number + most)):
        is_set_off = blank_lines(paragraphs[at - 1], paragraphs[at]) >= SET_OFF
        is_capital = texts[at].isupper() and "\n" not in texts[at]
        if is_heading(at) or is_capital or (at > number + 1 and (is_set_off or paragraphs[at].is_break)):
            return at
    return min(len(texts), number + most)
