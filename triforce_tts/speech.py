"""The result of speaking: the sound, and whether it says all of the text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F

from triforce_tts.audio.edit import join
from triforce_tts.audio.io import Audio
from triforce_tts.wording import counted


class TimedWord(NamedTuple):
    """A spoken word and its times; a word without a sound ends where it starts."""

    text: str
    start_s: float
    end_s: float


@dataclass
class Spoken:
    """One line as it was spoken: a sentence, or a part of one that is too long to be spoken at once."""

    text: str  # the normalised text, as it is spoken
    samples: torch.Tensor  # [n], with the silence at both ends cut off; empty if the GPT drew no codes
    codes: torch.Tensor  # [frames, groups]
    ended: bool  # whether the GPT ended the line by itself, before its limit
    predicted_s: float  # the duration predicted from its number of characters
    pause_s: float  # seconds of silence after the line
    source: str = ""  # the written sentence that the line comes from
    unsaid: tuple[str, ...] = ()  # words of the line that have no sound
    tries: int = 1  # how often the line was drawn
    words: tuple[TimedWord, ...] = ()  # the words with their times in ``samples``; empty if the times are not known
    # Whether the line begins a sentence; else it is a later part of a divided sentence.
    begins: bool = True
    lead_s: float = 0.0  # seconds of silence before the line that the text asks for
    # Whether the text asks for the pause after the line, so that the pause also stays at the end.
    holds_pause: bool = False

    @property
    def complete(self) -> bool:
        """Whether the line ended by itself and every word has a sound."""
        return self.ended and not self.unsaid

    @property
    def fault(self) -> str:
        """What is missing, in one line that quotes the sentence; empty if the line is complete."""
        if self.complete:
            return ""
        missing = ", ".join(f"'{word}'" for word in self.unsaid[:5])
        silent = f"{counted(len(self.unsaid), 'word')} without a sound ({missing})"
        what = silent if self.unsaid else "it did not end by itself"
        tries = "1 try" if self.tries == 1 else f"{self.tries} tries"
        return f"incomplete after {tries}: '{self.text}': {what}; try another seed, or write it in other words"


@dataclass(frozen=True, eq=False)
class Speech(Audio):
    """The sound of a text, and each of its lines."""

    lines: tuple[Spoken, ...] = ()
    left_out: tuple[str, ...] = ()  # characters that have no English reading, such as those of another script

    @property
    def complete(self) -> bool:
        """Whether every line is complete and nothing of the text was left out."""
        return not self.faults

    @property
    def faults(self) -> list[str]:
        """What is missing: one line of text for each incomplete line and for what was left out."""
        return list_faults(self.lines, self.left_out)


def join_lines(lines: Sequence[Spoken], sample_rate: int) -> torch.Tensor:
    """The sound of ``lines`` [n], with the pauses between them, and those at the ends for which the text asks."""
    if not lines:
        return torch.zeros(0)
    sound = join([line.samples for line in lines], [line.pause_s for line in lines[:-1]], sample_rate)
    after_s = lines[-1].pause_s if lines[-1].holds_pause else 0.0
    return F.pad(sound, (round(lines[0].lead_s * sample_rate), round(after_s * sample_rate)))


def list_faults(lines: Sequence[Spoken], left_out: Sequence[str]) -> list[str]:
    """One line of text for each incomplete line, and one for the parts of a text that were left out."""
    faults = [line.fault for line in lines if line.fault]
    if left_out:
        listed = ", ".join(f"'{part[:40]}'" for part in left_out[:5])
        faults.append(f"left out, because there is no English reading: {listed} ({len(left_out)} in all)")
    return faults
