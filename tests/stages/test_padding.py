"""The share of padding in batches of stage 2, with lengths like those of recorded books."""

from itertools import accumulate

import numpy as np
import pytest
import torch

from triforce_tts import schema
from triforce_tts.batches import Order, sample_generator
from triforce_tts.sequences import Vocabulary, VocabularyConfig
from triforce_tts.stages.gpt import KINDS, GPTSettings, GPTTask

LETTERS = 14.0  # a second
CODES = {"nano": 15.6, "base": 15.6, "large": 15.6}  # steps of speech a second: frames


class Lengths(GPTTask):
    """The stage on clips that were cut at pauses: most have 2 to 10 s, a few have the longest allowed length.

    Paces differ.
    """

    def __init__(self, settings: GPTSettings, codes: float) -> None:
        rng = np.random.default_rng(0)
        seconds = np.clip(rng.lognormal(np.log(5.5), 0.5, 20_000), 1.0, settings.data.max_seconds)
        self.letters = LETTERS * seconds * rng.lognormal(0.0, 0.12, len(seconds))
        # A text has more or fewer symbols than its characters say.
        self.characters = tuple((self.letters * rng.lognormal(0.0, 0.08, len(seconds))).tolist())
        self.settings, self.durations_s = settings, tuple(seconds.tolist())
        # the kind and the seconds of the voice, by seed and position
        self.choices: dict[tuple[int, int], tuple[str, float]] = {}
        self.code, self._rate = {"code_rate": codes, "groups": 1}, LETTERS
        self.vocabulary = Vocabulary(VocabularyConfig(n_text=1, n_codes=2, groups=1))

    def _kind(self, rng: torch.Generator) -> str:
        """As the stage draws it, by a number: ``multinomial`` takes three times as long, for 90,000 samples."""
        shares = self.settings.data.mixture
        drawn = float(torch.rand((), generator=rng)) * sum(shares)
        return next((kind for kind, end in zip(KINDS, accumulate(shares), strict=True) if drawn < end), KINDS[-1])

    def tokens(self, position: int, index: int, seed: int) -> float:
        """The length of the sequence for sample ``index``, with its text."""
        if (seed, position) not in self.choices:
            rng = sample_generator(seed, position)
            self.choices[seed, position] = self._kind(rng), self._voice_seconds(rng)
        (kind, voice_s), speech = self.choices[seed, position], self.durations_s[index] * self.code["code_rate"]
        if kind == "speak":
            voice = voice_s * self.code["code_rate"]
            return 4 + voice + (1 + self.settings.data.reads) * self.letters[index] + speech
        return 4 + {"listen": speech + self.letters[index], "speech": speech, "text": self.letters[index]}[kind]


def padded_share(task: Lengths, window: int, measured: bool, steps: int = 32) -> float:
    """The share of padding among the tokens of the batches of ``steps`` steps."""
    settings = task.settings
    order = Order(task.durations_s, settings.run.batch_size, 0, window, task.length if measured else None)
    tokens, room = 0.0, 0.0
    for step in range(steps):
        lengths = [task.tokens(position, index, 0) for position, index in order.batch(step)]
        tokens, room = tokens + sum(lengths), room + max(lengths) * len(lengths)
    return 1.0 - tokens / room


@pytest.mark.parametrize(("size", "most"), [("nano", 0.08), ("base", 0.1), ("large", 0.12)])
def test_about_a_tenth_of_the_tokens_at_most_is_padding(size: str, most: float) -> None:
    """In the shipped mixture of kinds and voices, which are known before batches are sorted, as are the texts' lengths.

    By frames more than half of the steps are text, whose number does not follow from the duration: readers' paces differ.
    """
    settings = schema.load(GPTSettings, "gpt", size)
    task, window = Lengths(settings, CODES[size]), settings.run.bucket_batches
    assert padded_share(task, window, measured=True) < most
    assert padded_share(task, window, measured=False) > most
    assert padded_share(task, 1, measured=True) > 0.4
