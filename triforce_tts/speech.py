"""What comes out of speaking: the sound, and what is known of how complete it is."""

from dataclasses import dataclass

import torch

from triforce_tts.audio.io import Audio


@dataclass
class Spoken:
    """One line as it was spoken: a sentence, or a part of one that is too long to be spoken at once."""

    text: str  # as it is spoken
    samples: torch.Tensor  # [n], silence at the ends cut; empty if nothing came
    codes: torch.Tensor  # [frames, groups]
    ended: bool  # whether the GPT ended it by itself
    predicted_s: float  # duration expected from the characters
    pause_s: float  # after it
    source: str = ""  # the sentence as it was written
    unsaid: tuple[str, ...] = ()  # words without a sound
    tries: int = 1  # made of it

    @property
    def complete(self) -> bool:
        """Whether it ended by itself and every word has a sound."""
        return self.ended and not self.unsaid

    @property
    def fault(self) -> str:
        """What is missing, one line that names the sentence; empty if it is complete."""
        if self.complete:
            return ""
        missing = ", ".join(f"'{word}'" for word in self.unsaid[:5])
        what = f"{len(self.unsaid)} words without a sound ({missing})" if self.unsaid else "it did not end by itself"
        return (
            f"incomplete after {self.tries} tries: '{self.text}': {what}; try another seed, or write it in other words"
        )


@dataclass(frozen=True, eq=False)
class Speech(Audio):
    """The sound of a text, and how each part of it came out."""

    lines: tuple[Spoken, ...] = ()
    left_out: tuple[str, ...] = ()  # what has no English reading, such as letters of other scripts

    @property
    def complete(self) -> bool:
        """Whether every line ended by itself with a sound for every word, and nothing was left out."""
        return not self.faults

    @property
    def faults(self) -> list[str]:
        """What is missing, a line each."""
        found = [line.fault for line in self.lines if line.fault]
        if self.left_out:
            listed = ", ".join(f"'{part[:40]}'" for part in self.left_out[:5])
            found.append(f"left out, because there is no English reading: {listed} ({len(self.left_out)} in all)")
        return found
