"""Chooses the voice and the speed in which the teacher speaks each text, and leaves out texts that it cannot speak."""

import hashlib
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from triforce_tts.errors import ShardError, TextError
from triforce_tts.text.normalize import normalize
from triforce_tts.text.tokenizer import LETTERS, TextTokenizer
from triforce_tts.wording import counted

from ..common.clips import Clip, Drop, TeacherVoice
from ..common.heldout import HeldOut
from ..common.names import printable
from . import kokoro, synthetic

NAME = "kokoro"
DEFAULT_VOICE = "af_heart"  # the makers of kokoro grade it as the best voice
_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
NAMED = 10  # how many words without phones a message names
_LICENSE = "synthetic (Kokoro-82M, Apache-2.0)"


@dataclass(frozen=True)
class Teaching:
    """The settings of the teacher: its files, its voices with their shares of the texts, and its speeds."""

    assets: Path
    shares: dict[str, float] = field(default_factory=lambda: {DEFAULT_VOICE: 1.0})
    speeds: tuple[float, ...] = (1.0,)
    every_voice: bool = False  # speak each text in every voice; the shares have no effect then
    fragments: float = 0.0  # the share of texts whose first words are spoken once more, as a text of their own


@dataclass
class Plan:
    """The clips to speak, the ids of those that are held out, the texts that are left out, and notes for the user."""

    clips: list[Clip]
    held_ids: set[str]
    drops: list[Drop]
    notes: list[str]


def parse_shares(voices: str) -> dict[str, float]:
    """The share of each voice in an option such as ``af_heart=0.45,af_bella,af_sky+af_nova:0.6``.

    The voices without a share divide what is left evenly.

    Raises:
        ShardError: a share is no number, the sum of the shares is wrong, or a voice is named twice.
    """
    shares: dict[str, float | None] = {}
    for part in voices.split(","):
        voice, equals, number = part.strip().partition("=")
        kokoro.parse_voice(voice)
        if voice in shares:
            raise ShardError(f"voice '{voice}' is given twice; give it once")
        if equals and not re.fullmatch(r"0?\.\d+|1(\.0*)?", number):
            raise ShardError(f"voice '{part}': expected a share between 0 and 1, such as {voice}=0.45")
        shares[voice] = float(number) if equals else None
    fixed_shares = [share for share in shares.values() if share is not None]
    others = len(shares) - len(fixed_shares)
    left = 1.0 - sum(fixed_shares)
    if left < -1e-6 or (others and left < 1e-6) or (not others and left > 1e-6):
        raise ShardError(
            f"--voices {voices}: the sum of the shares is {sum(fixed_shares):g}; expected 1, or less than 1 if there "
            "are voices without a share"
        )
    return {voice: left / others if share is None else share for voice, share in shares.items()}


def parse_speeds(speeds: str) -> tuple[float, ...]:
    """The speeds in an option such as ``0.9,1.0,1.1``.

    Raises:
        ShardError: a speed is no number or is out of bounds.
    """
    slowest, fastest = kokoro.SPEEDS
    numbers = []
    for part in speeds.split(","):
        number = float(part) if re.fullmatch(r" *\d+(\.\d*)? *", part) else 0.0
        if not slowest <= number <= fastest:
            raise ShardError(f"--speeds {speeds}: '{part}' is no speed from {slowest:g} to {fastest:g}")
        numbers.append(number)
    return tuple(numbers)


def plan(texts: Sequence[str], teaching: Teaching, limit: int, heldout: HeldOut) -> Plan:
    """The clips to make of ``texts``.

    The voice and the speed of a text are drawn with a seed from the text, so they do not depend on the other texts. A
    text with a word whose phones are unknown is left out: the teacher would guess them, and the GPT would learn the
    guess.

    Raises:
        ShardError: the files are missing, a voice is unknown, or no text is left.
    """
    styles = kokoro.read_styles(teaching.assets)
    for voice in teaching.shares:
        kokoro.blend(styles, voice)
    version = kokoro.version(teaching.assets)
    unique = synthetic.chosen_texts(texts, limit, heldout)
    sayable, drops, notes = _with_phones(unique)
    apart = synthetic.texts_apart(sayable)
    lines = _fragments([text for text in sayable if text not in apart], teaching.fragments)
    known = set(sayable)
    sayable += [line for line in _with_phones(synthetic.chosen_texts(lines, 0, heldout))[0] if line not in known]
    clips, held_ids = [], set[str]()
    for text in sayable:
        for voice in teaching.shares if teaching.every_voice else [_drawn(text, teaching.shares)]:
            clip = _clip(text, TeacherVoice(voice, _speed(text, voice, teaching.speeds), version, teaching.assets))
            clips.append(clip)
            if text in apart:
                held_ids.add(clip.id)
    if not clips:
        raise ShardError(notes[0] if notes else "there is no text to speak; give TEXTS with a sentence on each line")
    return Plan(sorted(clips, key=lambda clip: clip.id), held_ids, drops, notes)


def _clip(text: str, teacher: TeacherVoice) -> Clip:
    name = re.sub(r"\W", "-", teacher.voice)
    return Clip(
        id=f"{NAME}-{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}",
        audio=synthetic.spoken_by(NAME, teacher.voice),
        text=text,
        speaker=f"{NAME}-{name}",
        collection=f"synthetic-{NAME}",
        license=_LICENSE,
        punct=True,
        teacher=teacher,
    )


def _fragments(texts: Sequence[str], share: float) -> list[str]:
    """Lines of the first one to three words of ``share`` of the texts.

    A GPT that knows sentences alone does not end a line of one word.
    """
    lines = []
    for text in texts:
        draw = random.Random(f"fragment {text}")
        words = _WORDS.findall(text)
        count = draw.randint(1, 3)
        if draw.random() < share and len(words) > count:
            line = " ".join(words[:count])
            lines.append(f"{line[0].upper()}{line[1:]}{draw.choice('....!?')}")
    return lines


def _drawn(text: str, shares: dict[str, float]) -> str:
    draw = random.Random(f"voice {text}")
    return draw.choices(list(shares), list(shares.values()))[0]


def _speed(text: str, voice: str, speeds: Sequence[float]) -> float:
    return random.Random(f"speed {voice} {text}").choice(speeds)


def _with_phones(texts: Sequence[str]) -> tuple[list[str], list[Drop], list[str]]:
    """The texts whose words all have phones, a row for each text that is left out, and a note on all of them."""
    tokenizer = TextTokenizer()
    sayable: list[str] = []
    drops: list[Drop] = []
    unknown: Counter[str] = Counter()
    for text in texts:
        try:
            pieces = tokenizer.spell(normalize(text))
        except TextError as error:
            unknown[text[:40]] += 1
            drops.append(Drop(printable(text), 0.0, "cannot be spoken", printable(str(error))))
            continue
        words = ["".join(piece.symbols) for piece in pieces if piece.is_word and set(piece.symbols) <= set(LETTERS)]
        if words:
            different = list(dict.fromkeys(words))
            unknown.update(different)
            drops.append(Drop(printable(text), 0.0, "words without phones", printable(", ".join(different))))
        else:
            sayable.append(text)
    if not unknown:
        return sayable, drops, []
    named = ", ".join(f"'{word}' ({count})" for word, count in unknown.most_common(NAMED))
    more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
    return (
        sayable,
        drops,
        [f"left out {len(drops)} of {counted(len(texts), 'text')}, because these words have no phones: {named}{more}"],
    )
