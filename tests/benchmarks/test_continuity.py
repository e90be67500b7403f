import math

import numpy as np
import pytest
import torch

from benchmarks.continuity import Line, figures, prompt

CLIP = torch.arange(4)[:, None]
SPOKEN = [torch.tensor([[10], [11]]), torch.tensor([[12]])]


def test_prompts_are_as_long_as_the_clip() -> None:
    assert prompt("tail", CLIP, []) is CLIP and prompt("voice", CLIP, SPOKEN) is CLIP
    assert prompt("tail", CLIP, SPOKEN).flatten().tolist() == [3, 10, 11, 12]
    assert prompt("both", CLIP, SPOKEN).flatten().tolist() == [0, 1, 11, 12]
    assert prompt("both", CLIP, SPOKEN[1:]).flatten().tolist() == [0, 1, 3, 12]


def line(semitones: float, level: float, rate: float) -> Line:
    return Line(torch.zeros(1), semitones, level, rate, np.array([1.0, 0.0], np.float32))


def test_jumps_by_hand() -> None:
    lines = [line(10, -20, 10), line(12, -23, 20), line(math.nan, -22, 10), line(11, -22, 10)]
    found = figures(lines, 10.5, np.array([0.6, 0.8], np.float32))
    assert found["pitch jumps, semitones"][0] == 2  # the pairs with a line without a pitch are left out
    assert found["level jumps, dB"][0] == pytest.approx((3 + 1 + 0) / 3)
    assert found["rate jumps, percent"][0] == pytest.approx(100 * math.log(2) * 2 / 3)
    assert found["last quarter, semitones from the voice"][0] == 0.5
    assert found["last quarter, cosine to the clip"][0] == pytest.approx(0.6)
