"""The last steps for each chapter of any format: headings are found, and the opening is put into small letters."""

import re

from triforce_tts.text.phonemes import Lexicon

from .chapters import letters
from .draft import DraftBlock, clean

_LONGEST_HEADING = 120  # characters
_LOOKED_AT = 400  # the opening of a paragraph lies in its first so many characters
_CAPITALS = re.compile(r"[^\w\s]*(?:[^\W\d_a-zà-ÿ]+[^\w\s]*\s+)+(?=\S*[a-zà-ÿ])")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_BEHIND_STOP = re.compile(r"[.!?][\"”’')\]]*\s*$")  # an initial, "ST." or "SCENE.": a name or a sentence follows
_COMMON = frozenset(["the", "it", "in", "on", "at", "when", "there", "he", "she", "they", "we", "you", "as", "if", "but", "and", "my", "his", "her", "one", "once", "all", "for", "from", "this", "that", "to", "of", "after", "before", "while", "with", "no", "not", "what", "early", "late", "so", "now", "then", "an"])  # fmt: skip


def name_headings(blocks: list[DraftBlock], title: str) -> None:
    """Make the first paragraphs of a chapter headings if they are its title or a part of it."""
    whole = letters(title)
    for block in blocks:
        if block.is_empty or block.kind == "heading":
            continue
        text = letters(block.text) if block.kind == "paragraph" else ""
        if not text or len(text) > _LONGEST_HEADING or text not in whole:
            return
        block.kind, block.level, block.keeps_lines = "heading", 2, True


def lower_opening(blocks: list[DraftBlock], lexicon: Lexicon) -> None:
    """Change the first words of the first paragraph to small letters after the first, if they are in capitals."""
    first = next((block for block in blocks if not block.is_empty and block.kind not in ("heading", "caption")), None)
    if first is None or first.kind != "paragraph":
        return
    text = clean("".join(first.texts), keeps_lines=first.keeps_lines)
    match = _CAPITALS.match(text, 0, _LOOKED_AT)
    if not match:
        return
    words = _WORD.findall(match[0])
    long_words = [word for word in words if len(word) > 1]
    if not long_words or (len(words) == 1 and words[0].lower() not in _COMMON):
        return
    if any(lexicon.lookup(word) is None for word in long_words) and len(long_words) < 2:
        return
    lowered = _lowered(match[0])
    first.texts = [lowered + text[match.end() :]]


def _lowered(text: str) -> str:
    """``text`` in small letters, except for its first letter, the word "I", and initials such as "H. G."."""
    begun = False

    def small(match: re.Match[str]) -> str:
        nonlocal begun
        word = match[0]
        first, begun = not begun, True
        if word == "I" or word.startswith(("I’", "I'")):
            return word[:1] + word[1:].lower()
        if len(word) == 1 and text[match.end() : match.end() + 1] == ".":
            return word
        keeps_first = first or bool(_BEHIND_STOP.search(text[: match.start()]))
        return word[0] + word[1:].lower() if keeps_first else word.lower()

    return _WORD.sub(small, text)
