"""The proof that the lines of a sentence say each of its words once and in order.

The reader of a book has proved that every word of the source stands in one block (``books.chapters.account``). Here the words of
a sentence as written are compared with the words of its lines as spoken. Most are equal. Where they differ, a number, an
abbreviation or a sign is read: such a run must hold something that has a reading of its own. All else is an error, before any sound is made.
"""

import re

from triforce_tts.books.chapters import letters
from triforce_tts.errors import TextError
from triforce_tts.narrator.edits import differing_runs
from triforce_tts.synthesis.script import spoken_words
from triforce_tts.text.latex import read_latex
from triforce_tts.text.normalize import normalize, unspoken

_WORD = re.compile(r"\{[^{}]*\}(?:['’]s)?|[^\W_]+(?:['’][^\W_]+)*")
# What is read although it is no word: a sign, a digit, or a mark within a name such as "a.b" or "x/y".
_SIGN = re.compile(r"[^\w\s.,;:!?'\"“”‘’()\[\]{}—–-]|[\d_]|(?<=\S)[.:,;?!](?=\w)")
_PLAIN = re.compile(r"[A-Za-z][a-z]*(?:['’][a-z]+)*")
_TOKEN = re.compile(r"\S+")
_SHOWN = 60  # characters of a sentence that a message quotes


def account_sentence(source: str, spoken: list[str]) -> list[str]:
    """The words of ``source`` that are not spoken, because English has no reading of their letters.

    Args:
        source: a sentence as written.
        spoken: the words of its lines, in order.

    Raises:
        TextError: a word would be lost, doubled, moved or invented.
    """
    source = read_latex(source)  # The words of a formula are those that it is read as.
    places = list(_WORD.finditer(source))
    written = [_plain(place[0]) for place in places]
    plain_words = [_plain(word) for word in spoken]
    if written == plain_words:
        return []
    plain_words = _unspelled(plain_words, set(written))
    silent = []
    for i, j, k, m in differing_runs(written, plain_words, substitution=2):
        if i == j and not _SIGN.search(source):
            raise _broken(source, f"the words '{' '.join(plain_words[k:m])}' would be added")
        if k == m:
            silent += [_without_reading(source, place) for place in places[i:j]]
        elif i < j:
            _require_readings(source, places[i:j])
    return silent


def _unspelled(words: list[str], written: set[str]) -> list[str]:
    """``words``, with letters joined that together spell a written word, such as the "i s o" of "ISO".

    Letters that are all written by themselves stay apart: the "J. R." of "J. R. Poe, Jr." does not spell "Jr".
    """
    joined: list[str] = []
    at = 0
    while at < len(words):
        end = at
        while end < len(words) and len(words[end]) == 1:
            end += 1
        while end > at + 1 and ("".join(words[at:end]) not in written or written.issuperset(words[at:end])):
            end -= 1
        end = max(end, at + 1)
        joined.append("".join(words[at:end]))
        at = end
    return joined


def _plain(word: str) -> str:
    """A word in the form in which words are compared; phonemes in braces stay as they are."""
    return word if word.startswith("{") else letters(word)


def _without_reading(source: str, place: re.Match[str]) -> str:
    if unspoken(place[0]) or _may_be_read(source, place):
        return place[0]
    raise _broken(source, f"the word '{place[0]}' would be lost")


def _require_readings(source: str, places: list[re.Match[str]]) -> None:
    """Refuse a run of words that is read otherwise if it has a plain word, which is always read as it is written."""
    for place in places:
        if not _may_be_read(source, place):
            raise _broken(source, f"the word '{place[0]}' would be lost or said in other words")


def _may_be_read(source: str, place: re.Match[str]) -> bool:
    """Whether a word may be read otherwise: a number, an abbreviation, capitals, other scripts, a unit, a code."""
    word = place[0]
    if not _PLAIN.fullmatch(word):
        return True
    tokens = list(_TOKEN.finditer(source))
    at = next(n for n, token in enumerate(tokens) if token.end() >= place.end())
    alone, in_place = tokens[at][0], source[tokens[max(0, at - 1)].start() : tokens[at : at + 2][-1].end()]
    return any(_is_lost(word, text) for text in (word, f"2 {word}", alone, in_place))


def _is_lost(word: str, text: str) -> bool:
    """Whether ``word`` is not among the words that ``text`` is read as."""
    try:
        return letters(word) not in map(letters, spoken_words(normalize(text)))
    except TextError:
        return True


def _broken(source: str, what: str) -> TextError:
    quoted = " ".join(source.split())[:_SHOWN]
    return TextError(f"the plan does not say the source: in '{quoted}' {what}; write the sentence in other words")
