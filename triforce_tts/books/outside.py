"""What stands around a story: pages and sections about the author, of other books, of praise, or with a newsletter.

The rules are the same for the pages of an epub and for the sections of a text, Markdown or HTML file.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from .chapters import About, count_words, letters
from .division import Mark
from .draft import Draft, DraftBlock
from .numbered import numbered

# The whole title of a page that is left out where nothing is typed. It must also be small and stand outside the story.
_OUTSIDE = re.compile(
    r"(?:a note )?about the (?:authors?|publishers?|translators?|illustrators?|editors?|type|typeface)"
    r"|half[- ]?title(?: page)?",
    re.IGNORECASE,
)
_PEOPLE = re.compile(r"author|translator|illustrator|editor", re.IGNORECASE)
# What is said of a writer: where a person lives, what the person is, wrote, won or studied.
_LIFE = re.compile(
    r"\b(?:(?:lives?|resides?|living|lived|(?:was )?(?:born|raised)|grew up|works?|teaches|taught|studied) (?:in|on|at|by|near|with|and|outside|between|as|for)"
    r"|graduat\w+|(?:is|was|am) (?:an? |the |also )+[^.!?]{0,60}?(?:authors?|writers?|novelists?|poets?|journalists?|professors?|editors?|translators?|artists?|teachers?|illustrators?)"
    r"|(?:has|have) (?:written|published|won|received|translated|illustrated)|(?:first|second|third|latest|next|debut|other|many|several|two|three) (?:\w+ ){0,2}(?:novels?|books?)"
    r"|(?:his|her|their|my) (?:\w+ ){0,3}(?:novels?|books?|writing|fiction|stories|poems|poetry|works?|debut)|(?:writes|writing) (?:\w+ )?(?:novels|books|fiction|stories|poems|for|about)"
    r"|best-?sell(?:er|ing)|award|prizes?|degree|university|spare time)\b",
    re.IGNORECASE,
)
# What happens in a story and in no life of a writer.
_TOLD = re.compile(
    r"[,.!?][\"”’']\s+(?:\w+\s+){0,3}(?:said|asked|replied|cried|whispered|answered)\b"
    r"|\b(?:I|he|she|they|we)\s+(?:closed|shut|opened|looked|turned|said|asked|saw|stood|sat|put|felt|heard|walked|stared|smiled|laughed"
    r"|cried|nodded|picked|laid|threw|whispered|sighed|shook|wept)\b",
    re.IGNORECASE,
)
# Such a title that a story may have too: what stands behind it, or what the page holds, decides.
_OTHERS = re.compile(
    r"(?:also|(?:other |more )?(?:books|titles|works|novels)|more) (?:available )?(?:by|from)\b(?P<who>.*)",
    re.IGNORECASE,
)
_PRAISE = re.compile(r"(?:advance )?praise for\b(?P<what>.*)", re.IGNORECASE)
_NOTICE = re.compile(
    r"(?:our |my |the )?newsletter|advertisements?|copyright(?: page| notice)?|about this (?:digital |electronic )?(?:edition|e-?book)",
    re.IGNORECASE,
)
_LICENCE = re.compile(r"licen[cs](?:e|ing)(?: information| notice)?", re.IGNORECASE)
NOT_STORY = (_OUTSIDE, _OTHERS, _PRAISE, _NOTICE, _LICENCE)
_THE_AUTHOR = frozenset(["theauthor", "thisauthor", "thesameauthor", "sameauthor"])
_NEXT_NAME = re.compile(r"[,;:&(—–]|\band\b|\bwith\b", re.IGNORECASE)
# The end of a quotation, a dash, and the name of who wrote it.
_PRAISED = re.compile(r"[”\"’']\s*[—–―-]+\s*[^\W\d_a-z]")
_LEAST_PRAISED = 2
_LETTER = (r"\b(?:newsletters?|mailing list|e-?mail updates)\b", r"\b(?:sign up|subscribe|join|register)\b")
_SIGN_UP = re.compile(
    r"\b(?:sign up|subscribe)\b[^.!?]*\bnewsletters?\b|\bnewsletters?\b[^.!?]*\b(?:sign up|subscribe)\b", re.IGNORECASE
)
ADDRESS = re.compile(
    r"https?://|\bwww\.|[\w.-]+@[\w-]+\.\w|\w\.(?:com|org|net|info|io|co|me|uk|de|fr|eu)\b", re.IGNORECASE
)
IMPRINT = (
    r"©|\bcopyright\b",
    r"all rights reserved|no part of this",
    r"\bISBN\b",
    r"(?:first )?published (?:(?:in )?\d{4} )?(?:by|in)\b",
    r"library of congress|cataloguing|cataloging|\bCIP (?:catalogue|record|data)|catalogue record for this",
    r"\bprinted (?:and bound )?(?:in|by)\b",
    r"\bmoral rights? of the (?:author|translator)|\basserted (?:his|her|their|the) (?:moral )?rights?\b",
)
LICENSED = re.compile(r"\bis licen[cs]ed under an? (?:Creative Commons|CC|GNU)\b", re.IGNORECASE)
_RIGHTS = re.compile("|".join((r"©|\bcopyright\W+(?:by\b|\d{4})", *IMPRINT[1:], LICENSED.pattern)), re.IGNORECASE)
# What stands between a title and its subtitle.
SIGN = re.compile(r"\s*[:;,(—–]\s*")
_MOST_OUTSIDE = 300  # the most words of a page that is left out by its title and place
_MOST_LETTER = 150  # the most words of an invitation to a newsletter
STORY_SHARE = 0.25  # a chapter or page belongs to the story if it has at least such a share of the longest one's words


@dataclass(frozen=True)
class Section:
    """A page, or what stands below a heading: its lines, its words, whether it holds an address, whether contents list it."""

    lines: Sequence[str]
    words: int
    has_address: bool
    is_listed: bool


def is_no_story(titles: Sequence[str], section: Section, about: About) -> bool:
    """Whether a section outside the story is small, and about other books, the author, or a newsletter."""
    text = " ".join(section.lines)
    is_letter = section.words <= _MOST_LETTER and (
        bool(_SIGN_UP.search(text))
        or (section.has_address and all(re.search(cue, text, re.IGNORECASE) for cue in _LETTER))
    )
    return is_letter or any(is_outside(title, section, about) for title in titles)


def is_outside(title: str, section: Section, about: About) -> bool:
    """Whether a title names a section that is no part of the story, and the section does not speak against it."""
    title = title.strip(" .:!")
    if section.words > _MOST_OUTSIDE:
        return False
    if _OUTSIDE.fullmatch(title):
        return not _PEOPLE.search(title) or _is_life(section, about)
    second = section.lines[1] if len(section.lines) > 1 else ""
    if match := _OTHERS.fullmatch(title):
        return _is_author(match["who"].strip(" .:,") or second, about)
    if match := _PRAISE.fullmatch(title):
        what = letters(match["what"]) or letters(second)
        names = {letters(about.title), letters(SIGN.split(about.title)[0])} - {""}
        authors = [letters(name) for name in about.author.split(", ") if name]
        is_named = what in names or any(name in what for name in authors)
        return is_named or len(_PRAISED.findall("\n".join(section.lines))) >= _LEAST_PRAISED
    if _LICENCE.fullmatch(title):
        return bool(LICENSED.search("\n".join(section.lines)))
    if _NOTICE.fullmatch(title):
        rest = "\n".join(line for line in section.lines if letters(line) != letters(title))
        return not section.is_listed or section.has_address or bool(_RIGHTS.search(rest))
    return False


def _is_life(section: Section, about: About) -> bool:
    """Whether a section below "About the Author" tells of a writer: by the name, an address or a life, and no story's deeds."""
    rest = " ".join(section.lines[1:])
    names = [name.split()[-1] for name in about.author.split(", ") if name.split()]
    is_named = any(re.search(rf"\b{re.escape(name)}\b", rest, re.IGNORECASE) for name in names)
    return (is_named or section.has_address or bool(_LIFE.search(rest))) and not _TOLD.search(rest)


def _is_author(who: str, about: About) -> bool:
    """Whether words are "the author" or begin with an author's name: the whole, or the last name."""
    if letters(who) in _THE_AUTHOR or letters(who) == letters(about.author) != "":
        return True
    words = _NEXT_NAME.split(who)[0].split()
    authors = [name.split() for name in about.author.split(", ") if name.split()]
    return bool(words) and any(
        letters(words[-1]) == letters(name[-1]) and (len(words) == 1 or letters(words[0])[:1] == letters(name[0])[:1])
        for name in authors
    )


def withdraw_outside(
    draft: Draft, marks: list[Mark], about: About, *, beyond: frozenset[int] = frozenset()
) -> set[int]:
    """Skip the sections around the story whose title, place and size agree; the numbers of their blocks.

    A section begins at a heading, or behind the story at a paragraph that is such a title and nothing else, and ends before
    the next heading, or before a paragraph that is the title of an epilogue or its like. One that begins at a block of ``beyond`` was judged before.
    """
    first, last = _story(draft, marks)
    begins = {mark.start for mark in marks if mark.start >= 0}
    heads = [n for n, block in enumerate(draft.blocks) if not block.is_empty and _is_title(block, n in begins)]
    gone: set[int] = set()
    for number, end in reversed([*pairwise([*heads, len(draft.blocks)])]):
        block = draft.blocks[number]
        is_front = number < first and (number in begins or block.kind == "heading")
        if number in beyond or not (is_front or number > last):
            continue
        own = [n for n in range(number, end) if not draft.blocks[n].is_empty]
        lines = [line for n in own for line in draft.blocks[n].text.split("\n")]
        words = sum(count_words(line) for line in lines)
        section = Section(lines, words, bool(ADDRESS.search(" ".join(lines))), is_listed=True)
        if is_outside(" ".join(block.text.split()), section, about):
            for n in own:
                draft.withdraw(draft.blocks[n], "front matter" if is_front else "back matter")
            gone |= set(own)
        elif number > last and number not in begins:
            last = number  # the last chapter goes on here
    return gone


def _is_title(block: DraftBlock, is_begin: bool) -> bool:
    """Whether a section begins at a block."""
    if block.kind == "heading" or is_begin:
        return True
    title = block.text.strip(" .:!")
    return block.kind == "paragraph" and (
        any(pattern.fullmatch(title) for pattern in NOT_STORY) or numbered(title) == "named"
    )


def _story(draft: Draft, marks: list[Mark]) -> tuple[int, int]:
    """The first block of the story, and the one at which its last chapter begins: a counted one, or a long one."""
    starts = [mark for mark in marks if mark.start >= 0]
    if not starts:
        return 0, 0
    ends = [*(mark.start for mark in starts[1:]), len(draft.blocks)]
    words = [
        sum(count_words(block.text) for block in draft.blocks[mark.start : end])
        for mark, end in zip(starts, ends, strict=True)
    ]
    before = sum(count_words(block.text) for block in draft.blocks[: starts[0].start])
    least = STORY_SHARE * max(before, *words)
    story = [
        mark.start
        for mark, count in zip(starts, words, strict=True)
        if not any(pattern.fullmatch(mark.title.strip(" .:!")) for pattern in NOT_STORY)
        and (count >= least or numbered(mark.title) in ("part", "chapter"))
    ]
    return (min(story), max(story)) if story else (0, 0)
