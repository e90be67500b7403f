"""How much of a batch of stage 2 is padding, on lengths like those of recorded books."""

from collections.abc import Sequence

import numpy as np
import pytest

from triforce_tts import schema
from triforce_tts.batches import Order
from triforce_tts.stages.gpt import GPTSettings

CODES, LETTERS = 31.25, 14.0  # codes and letters a second, as at the size 'nano'


def padded_share(settings: GPTSettings, window: int, mixture: Sequence[float], steps: int = 128) -> float:
    """Share of the tokens of batches whose sequences are drawn as the stage draws them."""
    rng = np.random.default_rng(0)
    # Clips that were cut at pauses: most of 2 to 10 s, a few as long as they may be; readers differ in pace.
    seconds = np.clip(rng.lognormal(np.log(5.5), 0.5, 20_000), 1.0, settings.data.max_seconds)
    letters = LETTERS * seconds * rng.lognormal(0.0, 0.12, len(seconds))
    order = Order(tuple(seconds.tolist()), settings.run.batch_size, 0, window)
    tokens, room = 0.0, 0.0
    for step in range(steps):
        lengths = []
        for _, index in order.batch(step):
            speech, text = CODES * seconds[index], letters[index]
            voice = CODES * rng.uniform(*settings.data.voice_seconds)
            lengths.append(4 + (voice + text + speech, speech + text, speech, text)[rng.choice(4, p=mixture)])
        tokens, room = tokens + sum(lengths), room + max(lengths) * len(lengths)
    return 1.0 - tokens / room


@pytest.mark.parametrize(("size", "most"), [("nano", 0.1), ("base", 0.15), ("large", 0.2)])
def test_buckets_keep_padding_low(size: str, most: float) -> None:
    """Of sequences of one kind; what is left is the spread of voice prompts, which lengths of clips do not tell."""
    settings = schema.load(GPTSettings, "gpt", size)
    one_kind, window = (1.0, 0.0, 0.0, 0.0), settings.run.bucket_batches
    assert padded_share(settings, window, one_kind) < most
    assert padded_share(settings, 1, one_kind) > 0.4


def test_short_kinds_of_sequences_cost_padding() -> None:
    """Text alone stands among speech of its length: what the shipped mixture costs beside one kind."""
    settings = schema.load(GPTSettings, "gpt", "nano")
    assert padded_share(settings, settings.run.bucket_batches, settings.data.mixture) < 0.12
