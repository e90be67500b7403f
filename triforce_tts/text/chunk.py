"""A text in chunks that one utterance can hold: sentences, and the clauses of sentences that are too long.

Nothing is lost: the chunks' sources joined are the text. The sentence library sees a shadow of the text in
plain ASCII, equal in length, because it drops some line breaks and fails on some characters (a line separator
after an initial); only the lengths of what it returns are used.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from itertools import pairwise

import sentencex  # type: ignore[import-untyped]

from triforce_tts.text.normalize import is_speakable
from triforce_tts.text.stops import without_open_stops

SENTENCE_PAUSE_S = 0.35
PARAGRAPH_PAUSE_S = 0.7
CLAUSE_PAUSE_S = 0.12
# The pause at a cut between two words where the text has none.
WORD_PAUSE_S = 0.0

# A cut must not divide inline phonemes, or a number with its marks, the sign before it and a magnitude after it. Longer
# runs of digits are read digit by digit, so a cut does not change them.
_WHOLE = re.compile(
    r"\{[^{}]*\}|(?<![0-9])[$£€¥₹]?[0-9](?:[0-9]|[.,:/](?=[0-9])){0,39}%?(?![0-9])"
    r"(?:\s(?:hundred|thousand|million|billion|trillion|percent)\b|\s?[ap]\.?m\b\.?)?",
    re.IGNORECASE,
)
_WHITESPACE = re.compile(r"\s+")
_LINE_BREAK = re.compile(r"\r\n|[\n\r\u2028]")
_LINE = re.compile(r"[^\n\r\u2028]*(?:\r\n|[\n\r\u2028])|[^\n\r\u2028]+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_FULL = 0.8  # a wrapped line fills at least this share of the width
_LEAST_WIDTH = 45  # characters; narrower text is a list, a heading or verse, rather than wrapped prose
_ITEM = re.compile(r"\s*(?:[-*•‣◦·–—▪■●○►✓☐]\s+|\(?(?:[0-9]{1,3}|[A-Za-z]|[ivx]{1,5}|[IVX]{1,5})[.)]\s+)\S")
_ITEM_MARK = re.compile(r"\s*\(?(?:[0-9]{1,3}|[A-Za-z]|[ivx]{1,5}|[IVX]{1,5})[.)]\s*")
_CAPITAL = re.compile(r"[\"'“‘«(\[*_]*(?:[A-Z0-9]|[^\W\d_a-z](?<=[^\x00-\x7f]))")
# A line that ends with a comma, a dash, or a word that ends no sentence goes on in the next line.
_GOES_ON = re.compile(
    r"(?:[,;–—-]|\b(?:a|an|the|of|and|or|but|nor|to|in|on|at|by|for|with|from|as|that|which|who|is|was|are|were|be|his"
    r"|her|its|their|our|your|my|Mr\.|Mrs\.|Ms\.|Dr\.|St\.|Prof\.|[A-Z]\.|vs\.|No\.))$"
)
# A small letter after one of these signs shows that the sentence goes on.
_OPEN_END = re.compile(r"(?:…|\.\.\.|[\])]|[?!.…][\"'”’»)\]])[\"'”’»)\]]*$")
_MEASURE = re.compile(
    r"(?:(?<=[0-9])|(?<=[0-9] ))(?:MM|mm)\.(?= *[\"'(]?[A-Z])"
)  # the library takes 'MM.' for a title only
# A short exclamation before a small letter opens a sentence of its own only in print: 'Oh! my dear', 'Alas! poor Yorick'.
_EXCLAMATION = re.compile(r"(?:^|[\s\"'“‘(])[A-Z][a-z]+(?:,? [a-z]+)?[!?]$")
_ELIDED = re.compile(r"\s['’](?=\w)")
_WIDE_END = re.compile(r"[。！？｡][」』”’)\]]*\s*")
_LETTER_START = re.compile(r"[\"'“‘«(\[]*([^\W\d_])")
# Places where an overlong sentence may be cut, the best first; the cut lies after the match.
_CUTS = (
    (re.compile(r"[;:][\"'”’)\]]*\s+"), CLAUSE_PAUSE_S),
    (re.compile(r",[\"'”’)\]]*\s+|\s+[-–—]+\s+|—+\s*|--+\s*"), CLAUSE_PAUSE_S),
    (_WHITESPACE, WORD_PAUSE_S),
)
_SHADOWS = {
    "“": '"',
    "”": '"',
    "«": '"',
    "»": '"',
    "‘": "'",
    "’": "'",
    "…": ".",
    "。": ".",
    "！": "!",
    "？": "?",
    "—": "-",
    "–": "-",
}


@dataclass(frozen=True)
class Chunk:
    """A piece of a text to be spoken in one utterance."""

    text: str
    """``source`` without the white space around it."""
    source: str
    """The exact piece of the text."""
    pause_s: float
    """The natural silence after it, in seconds."""


def split_sentences(text: str, max_characters: int = 200) -> list[Chunk]:
    """The chunks of a text; their ``source`` joined is the text.

    Sentences over ``max_characters`` are cut at semicolons and colons, then at commas and dashes, then between
    words, and a longer word within itself. Inline phonemes in braces and numbers are never cut. A piece without
    anything speakable joins a neighbour, so only such characters, braces or a number can make a chunk longer.
    """
    if max_characters < 1:
        raise ValueError(f"max_characters is {max_characters}, expected at least 1")
    chunks: list[Chunk] = []
    for paragraph in _paragraphs(text):
        sentences = [sentence for block in _blocks(paragraph) for sentence in _sentences(block)]
        of_paragraph = [chunk for sentence in sentences for chunk in _clauses(sentence, max_characters)]
        of_paragraph[-1] = replace(of_paragraph[-1], pause_s=PARAGRAPH_PAUSE_S)
        chunks.extend(of_paragraph)
    if chunks:  # The last pause is that of a sentence, unless the text ends a paragraph.
        if not _is_empty_line(text[len(text.rstrip()) :]):
            chunks[-1] = replace(chunks[-1], pause_s=SENTENCE_PAUSE_S)
        chunks = _attach_unspeakable(chunks)
    return chunks


def split_clauses(text: str, max_characters: int) -> list[Chunk]:
    """A stretch of text, such as one sentence, in clauses of at most ``max_characters``; their ``source`` joined is it.

    A caller whose piece is too long when it is spoken divides it with this. The cuts lie at semicolons and colons,
    else at commas and dashes, else at spaces, else within a word. Numbers such as ``1,234,567.89`` and inline
    phonemes are never cut, so that a clause that holds only one of them may be longer; so may one with characters
    that nobody speaks. The last clause has the pause of a sentence, which the caller replaces where it knows better.

    Raises:
        ValueError: ``max_characters`` is below 1.
    """
    if max_characters < 1:
        raise ValueError(f"max_characters is {max_characters}, expected at least 1")
    return _attach_unspeakable(_clauses(text, max_characters)) if text else []


def _is_empty_line(gap: str) -> bool:
    """Whether a run of white space separates paragraphs."""
    return len(_LINE_BREAK.findall(gap)) > 1 or "\u2029" in gap


def _paragraphs(text: str) -> list[str]:
    """The text cut after every run of white space that holds an empty line."""
    inside = _inside_whole(text)
    ends = [gap.end() for gap in _WHITESPACE.finditer(text) if _is_empty_line(gap[0]) and gap.end() not in inside]
    return [text[start:end] for start, end in pairwise([0, *ends, len(text)]) if end > start]


def _blocks(paragraph: str) -> list[str]:
    """A paragraph cut after every line that is an item of a list or a heading; wrapped lines of prose stay together."""
    lines = _LINE.findall(paragraph)
    if len(lines) < 2:
        return [paragraph]
    width = max(len(line.strip()) for line in lines)
    items = sum(bool(_ITEM.match(line)) for line in lines)
    is_column = len(lines) > 2 and all(len(line.split()) <= 3 and not _GOES_ON.search(line.strip()) for line in lines)
    inside = _inside_whole(paragraph)
    blocks = [""]
    at = 0
    for line, following in pairwise(lines):
        at += len(line)
        blocks[-1] += line
        is_end = is_column or _is_own_line(line.strip(), following, width, items > 1)
        if is_end and line.strip() and following.strip() and at not in inside:
            blocks.append("")
    blocks[-1] += lines[-1]
    return blocks


def _is_own_line(line: str, following: str, width: int, is_list: bool) -> bool:
    """Whether a line ends a sentence or an item; else it is wrapped in the middle of a text of ``width`` characters."""
    if not following.strip():
        return False
    if _ITEM.match(following) and (is_list or line.endswith(":")):
        return True
    following = following.strip()
    first_word = following.split(maxsplit=1)[0]
    is_heading = line.isupper() and not following.isupper() and len(_WORD.findall(line)) > 0
    if is_heading and _CAPITAL.match(following):
        return True
    if _GOES_ON.search(line) or not _CAPITAL.match(following):
        return False
    # A wrapped line is full or nearly full, and the next word would not have fitted. Short lines are no prose.
    return width < _LEAST_WIDTH or (len(line) < _FULL * width and len(line) + 1 + len(first_word) <= width)


def _sentences(paragraph: str) -> list[str]:
    lengths = [len(piece) for piece in sentencex.segment("en", _MEASURE.sub("cm.", _shadow(paragraph)))]
    if sum(lengths) != len(paragraph):
        # The library failed, so the cuts are unknown. The clause splitter still bounds the length.
        return [paragraph]
    ends = [0]
    for length in lengths:
        ends.append(ends[-1] + length)
    # An apostrophe behind a space belongs to the word that follows: 'He sat. 'Twas late.'
    ends = [end - (end > 1 and _ELIDED.match(paragraph, end - 2) is not None) for end in ends]
    inside = _inside_whole(paragraph)
    wide = [mark.span() for mark in _WIDE_END.finditer(paragraph)]
    ends = sorted(
        {*ends, *(last for _, last in wide)} - {cut for first, last in wide for cut in range(first + 1, last)}
    )
    ends = [end for end in ends if end not in inside and not _is_mid_sentence(paragraph, end)]
    ends = without_open_stops(paragraph, ends)
    return [paragraph[start:end] for start, end in pairwise(ends)]


def _is_mid_sentence(text: str, cut: int) -> bool:
    """Whether a cut is wrong: after the number of an item, or before a small letter after '…', a bracket or a quotation."""
    if not 0 < cut < len(text):
        return False
    if cut < 12 and _ITEM_MARK.fullmatch(text[:cut]):
        return True
    before = text[max(0, cut - 12) : cut].rstrip()
    start = _LETTER_START.match(text[cut : cut + 12].lstrip())
    is_open = _OPEN_END.search(before) or _EXCLAMATION.search(text[max(0, cut - 24) : cut].rstrip())
    return bool(is_open and start and start[1].islower())


def _shadow(text: str) -> str:
    """The text character for character in ASCII, with case, punctuation and spacing kept."""
    return "".join(character if " " <= character <= "~" else _shadow_character(character) for character in text)


def _shadow_character(character: str) -> str:
    if character in _SHADOWS:
        return _SHADOWS[character]
    kind = unicodedata.category(character)
    if character.isspace() or kind == "Cc":
        return " "
    return {"Lu": "A", "Lt": "A", "Nd": "0"}.get(kind, "a" if kind[0] in "LM" else "-")


def _inside_whole(text: str) -> set[int]:
    """Positions at which a cut would tear inline phonemes or a number apart."""
    return {cut for whole in _WHOLE.finditer(text) for cut in range(whole.start() + 1, whole.end())}


def _clauses(sentence: str, max_characters: int) -> list[Chunk]:
    """One sentence as one chunk, or as several of at most ``max_characters``."""
    stop = len(sentence.rstrip())
    inside = _inside_whole(sentence) if stop > max_characters else set()
    chunks: list[Chunk] = []
    start = 0
    while stop - (begin := _skip_space(sentence, start)) > max_characters:
        end, pause_s = _best_cut(sentence[:stop], begin, begin + max_characters, inside)
        chunks.append(Chunk(sentence[begin:end].strip(), sentence[start:end], pause_s))
        start = end
    if start < stop or not chunks:
        chunks.append(Chunk(sentence[start:].strip(), sentence[start:], SENTENCE_PAUSE_S))
    else:  # The braces reach to the end of the text, so only white space is left.
        last = chunks.pop()
        chunks.append(Chunk(last.text, last.source + sentence[start:], SENTENCE_PAUSE_S))
    return chunks


def _skip_space(text: str, start: int) -> int:
    while start < len(text) and text[start].isspace():
        start += 1
    return start


def _best_cut(text: str, begin: int, limit: int, inside: set[int]) -> tuple[int, float]:
    """Where to end the chunk that begins at ``begin`` and may reach to ``limit``, and the pause there in seconds."""
    window = text[begin : limit + 1]
    for pattern, pause_s in _CUTS:
        # A clause that is cut in the first quarter would leave a short rest, which sounds hurried. A later, weaker cut
        # is better.
        least = begin + ((limit - begin) // 4 if pause_s else 1)
        # The text before the cut must fit; the white space after it does not count.
        ends = [
            begin + cut.end() for cut in pattern.finditer(window) if len(window[: cut.end()].rstrip()) <= limit - begin
        ]
        ends = [end for end in ends if end >= least and end not in inside]
        if ends:
            return ends[-1], pause_s
    return _hard_cut(begin, limit, inside)


def _hard_cut(begin: int, limit: int, inside: set[int]) -> tuple[int, float]:
    """A cut within a word, before or after what it would tear: inline phonemes or a number."""
    before = limit
    while before in inside:
        before -= 1
    if before > begin:
        return before, WORD_PAUSE_S
    while limit in inside:
        limit += 1
    return limit, WORD_PAUSE_S


def _attach_unspeakable(chunks: list[Chunk]) -> list[Chunk]:
    """Every piece without anything speakable joined to the chunk before it, or at the start to the one after."""
    groups: list[list[Chunk]] = [[]]
    spoken = False  # whether the open group already holds a chunk that can be spoken
    for chunk in chunks:
        speakable = is_speakable(chunk.text)
        if speakable and spoken:
            groups.append([])
        groups[-1].append(chunk)
        spoken = spoken or speakable
    return [_join(group) for group in groups]


def _join(group: list[Chunk]) -> Chunk:
    source = "".join(chunk.source for chunk in group)
    return Chunk(source.strip(), source, max(chunk.pause_s for chunk in group))
