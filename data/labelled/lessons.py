"""Which voice of the teacher says which text, and which texts it cannot say."""

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

from ..common.clips import Recording, TeacherVoice
from ..common.heldout import HeldOut
from . import kokoro, synthetic

NAME = "kokoro"
DEFAULT_VOICE = "af_heart"  # the best one by its makers
NAMED = 10  # words without phones that are named
_LICENSE = "synthetic (Kokoro-82M, Apache-2.0)"


@dataclass(frozen=True)
class Teaching:
    """How the teacher is asked: its files, its voices with their shares, and its speeds."""

    assets: Path
    shares: dict[str, float] = field(default_factory=lambda: {DEFAULT_VOICE: 1.0})
    speeds: tuple[float, ...] = (1.0,)
    every_voice: bool = False  # each text in every voice, whatever the shares


@dataclass
class Plan:
    """The utterances to make, the ids of those that are held out, and what a user should know."""

    recordings: list[Recording]
    held: set[str]
    notes: list[str]


def parse_shares(voices: str) -> dict[str, float]:
    """The share of each voice in ``af_heart=0.45,af_bella,af_sky+af_nova:0.6``: what is left goes evenly to the others.

    Raises:
        ShardError: a share is no number, they come to more than 1 or leave nothing, or a voice is named twice.
    """
    given: dict[str, float | None] = {}
    for part in voices.split(","):
        voice, equals, number = part.strip().partition("=")
        kokoro.parse_voice(voice)
        if voice in given:
            raise ShardError(f"voice '{voice}' is given twice; give it once")
        if equals and not re.fullmatch(r"0?\.\d+|1(\.0*)?", number):
            raise ShardError(f"voice '{part}': expected a share between 0 and 1, such as {voice}=0.45")
        given[voice] = float(number) if equals else None
    known = [share for share in given.values() if share is not None]
    others = len(given) - len(known)
    left = 1.0 - sum(known)
    if left < -1e-6 or (others and left < 1e-6) or (not others and left > 1e-6):
        raise ShardError(
            f"--voices {voices}: the shares come to {sum(known):g}, expected 1, or less with voices without"
        )
    return {voice: left / others if share is None else share for voice, share in given.items()}


def parse_speeds(speeds: str) -> tuple[float, ...]:
    """The speeds in ``0.9,1.0,1.1``.

    Raises:
        ShardError: one is no number or out of bounds.
    """
    slowest, fastest = kokoro.SPEEDS
    found = []
    for part in speeds.split(","):
        number = float(part) if re.fullmatch(r" *\d+(\.\d*)? *", part) else 0.0
        if not slowest <= number <= fastest:
            raise ShardError(f"--speeds {speeds}: '{part}' is no speed from {slowest:g} to {fastest:g}")
        found.append(number)
    return tuple(found)


def plan(texts: Sequence[str], teaching: Teaching, limit: int, heldout: HeldOut) -> Plan:
    """The utterances to make of ``texts``.

    Voice and speed of a text are drawn from its hash, so they do not depend on the other texts. Texts with words
    whose phones are not known are left out, because the teacher would guess them and the GPT would learn the guess.

    Raises:
        ShardError: the files are missing, a voice is not known, or no text is left.
    """
    styles = kokoro.read_styles(teaching.assets)
    for voice in teaching.shares:
        kokoro.blend(styles, voice)
    version = kokoro.version(teaching.assets)
    unique = synthetic.chosen_texts(texts, limit, heldout)
    sayable, notes = _with_phones(unique)
    apart = synthetic.texts_apart(sayable)
    recordings, held = [], set[str]()
    for text in sayable:
        for voice in teaching.shares if teaching.every_voice else [_drawn(text, teaching.shares)]:
            recording = _recording(
                text, TeacherVoice(voice, _speed(text, voice, teaching.speeds), version, teaching.assets)
            )
            recordings.append(recording)
            if text in apart:
                held.add(recording.id)
    if not recordings:
        raise ShardError(f"none of {len(unique)} texts can be spoken: {notes[0] if notes else 'there is none'}")
    return Plan(sorted(recordings, key=lambda recording: recording.id), held, notes)


def _recording(text: str, teacher: TeacherVoice) -> Recording:
    name = re.sub(r"\W", "-", teacher.voice)
    return Recording(
        id=f"{NAME}-{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}",
        audio=synthetic.spoken_by(NAME, teacher.voice),
        text=text,
        speaker=f"{NAME}-{name}",
        source=f"synthetic-{NAME}",
        license=_LICENSE,
        punct=True,
        teacher=teacher,
    )


def _drawn(text: str, shares: dict[str, float]) -> str:
    draw = random.Random(f"voice {text}")
    return draw.choices(list(shares), list(shares.values()))[0]


def _speed(text: str, voice: str, speeds: Sequence[float]) -> float:
    return random.Random(f"speed {voice} {text}").choice(speeds)


def _with_phones(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """The texts of whose words all have phones, and a note on the others."""
    tokenizer = TextTokenizer()
    sayable: list[str] = []
    unknown: Counter[str] = Counter()
    for text in texts:
        try:
            pieces = tokenizer.spell(normalize(text))
        except TextError:
            unknown[text[:40]] += 1
            continue
        words = ["".join(piece.symbols) for piece in pieces if piece.is_word and set(piece.symbols) <= set(LETTERS)]
        unknown.update(set(words))
        if not words:
            sayable.append(text)
    if not unknown:
        return sayable, []
    named = ", ".join(f"'{word}' ({count})" for word, count in unknown.most_common(NAMED))
    more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
    left_out = len(texts) - len(sayable)
    return sayable, [
        f"{left_out} of {len(texts)} texts are left out, because these words have no phones: {named}{more}"
    ]
