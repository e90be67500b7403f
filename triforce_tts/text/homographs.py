"""Words that are written alike and said in two ways: ``read``, ``lead``, ``live``, ``wind``, ``close``, ``a record``.

The words around one decide: a verb follows 'to', 'will' or 'they', a noun follows an article, and some words have rules of
their own. Where nothing decides, the sound that books have most often is taken.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from triforce_tts.text.homograph_names import WORDS
from triforce_tts.text.homograph_signs import ADVERBS, MODALS, SUBJECTS, TO_VERB

Phones = tuple[str, ...]

REACH = 16  # pieces, half of them spaces, on each side of a word that may decide
_OPENS = frozenset('.!?:"-')  # behind these marks a capital says nothing
_NOW, _PAST = "R IY1 D", "R EH1 D"
_HELPED = re.compile(TO_VERB)
_PERFECT = re.compile(
    rf" (?:have|has|had|having|be|been|being|is|are|was|were|am|get|got|well|widely|much|[a-z]+'ve|[a-z]+'d){ADVERBS}{{0,2}}(?: -)? $"
    rf"| (?:have|has|had|was|were|is|are|haven't|hasn't|hadn't) (?:{SUBJECTS}){ADVERBS}{{0,2}} $"
)
_IN_PAST = re.compile(
    r" (?:was|were|had|said|did|didn't|went|came|took|found|gave|saw|sat|stood|began|told|thought|knew|wrote|got|yesterday|ago"
    r"|(?!need|indeed|speed|feed|seed|red|bed|exceed|proceed|succeed)[a-z]{2,}ed) "
)
_IN_PRESENT = re.compile(
    r" (?:is|are|am|do|don't|if|every|always|often|usually|when|whenever|whoever|unless|will|can|must|i'm|it's|you're|[a-z]+'ll) "
)
_SOME_READ = re.compile(r" (?:a|good|great|quick|easy|short|long|must|interesting)(?: -)? $")
_HABIT = re.compile(
    r" (?:every|each) (?:other )?(?:day|morning|evening|afternoon|night|week|month|year)s? | (?:once|twice|times|books|pages|chapters) (?:a|per) (?:day|week|month|year) "
)
_MANY_WHO = re.compile(r" (?:people|those|men|women|children|kids|students|adults|parents|readers) who $")
# An infinitive that 'and read' goes on: 'to sit in the garden and read'.
_TO_REST = re.compile(
    r"(?<! came)(?<! went) to (?:be|sit|lie|stay|rest|relax|go|come|stop|stand|curl up) (?:[a-z']+ ){0,6}(?:and|or) $"
)
_READ_PAST = re.compile(r" (?:he|she|it|who|which)(?: (?:then|also|only|once|never|always|again|even|[a-z]+ly))? $")


def is_homograph(word: str) -> bool:
    """Whether ``word``, in small letters, has two sounds."""
    return word == "read" or word in WORDS


def pronounce(word: str, before: Sequence[str], after: Sequence[str], has_capital: bool = False) -> Phones:
    """The phones of a homograph between words and marks in small letters, the nearest next to it.

    ``has_capital`` says that its first letter is a capital, which means something within a sentence: 'a Polish wife'.
    """
    if has_capital and before and before[-1] not in _OPENS and word.capitalize() in WORDS:
        word = word.capitalize()
    left, right = " ".join(["", *before, ""]), " ".join(["", *after, ""])
    sound = _say_read(left, right) if word == "read" else _say(word, left, right)
    return tuple(sound.split())


def _say(word: str, before: str, after: str) -> str:
    usual, cases = _compiled(word)
    return next((sound for sound, left, right in cases if left.search(before) and right.match(after)), usual)


@lru_cache(maxsize=256)
def _compiled(word: str) -> tuple[str, list[tuple[str, re.Pattern[str], re.Pattern[str]]]]:
    usual, cases = WORDS[word]
    return usual, [(sound, re.compile(before), re.compile(after)) for sound, before, after in cases]


def _say_read(before: str, after: str) -> str:
    """``read`` as 'reed' where it is present or a noun, and as 'red' where it is past."""
    before = before.removesuffix("re - ")
    if re.search(rf" (?:to|{MODALS}|let's|please|[a-z]+'ll){ADVERBS}{{0,2}} $", before):
        return _NOW
    if _PERFECT.search(before) or after.startswith(" by "):
        return _PAST
    if _SOME_READ.search(before) or re.match(" (?:- )?(?:only|write) ", after):
        return _NOW
    if _HELPED.search(before) or _TO_REST.search(before) or re.search(" (?:have|had) (?:him|them|me|us) $", before):
        return _NOW
    is_past = bool(_IN_PAST.search(before) or _IN_PAST.search(after))
    if _MANY_WHO.search(before) and not is_past:
        return _NOW
    if _READ_PAST.search(before):
        return _PAST
    if re.search(r"^ $|[.!?:;\"-] $", before) and not _IN_PAST.search(before[-30:]):
        return _NOW
    if is_past:
        return _PAST
    sentence = " " + re.split(" [.!?] ", before)[-1].lstrip()
    is_present = (
        _HABIT.search(after) or re.search(rf" (?:we|you|they){ADVERBS}? $", before) or _IN_PRESENT.search(sentence)
    )
    return _NOW if is_present else _PAST
