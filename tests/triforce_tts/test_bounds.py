import math
from typing import Any

import pytest

from triforce_tts import bounds
from triforce_tts.errors import ConfigError
from triforce_tts.sampling.nucleus import TokenSampling
from triforce_tts.synthesis import Settings


@pytest.mark.parametrize(
    "values",
    [
        {"candidates": 0}, {"candidates": 65}, {"candidates": 2.0}, {"diffusion_steps": -5}, {"diffusion_steps": 10**5},
        {"sampler": "eulr"}, {"guidance": math.nan}, {"guidance": -1.0}, {"phase_iterations": -1}, {"tries": 0},
        {"candidates": True}, {"diffusion_steps": "3"},
    ],
)  # fmt: skip
def test_settings_out_of_bounds(values: dict[str, Any]) -> None:
    (name,) = values
    with pytest.raises(ConfigError, match=rf"{name} .*: expected"):
        Settings(**values)


@pytest.mark.parametrize(
    "values",
    [{"temperature": math.nan}, {"temperature": -0.1}, {"temperature": math.inf}, {"top_p": 0.0}, {"top_p": 1.5},
     {"top_p": math.nan}],
)  # fmt: skip
def test_sampling_out_of_bounds(values: dict[str, Any]) -> None:
    (name,) = values
    with pytest.raises(ConfigError, match=rf"{name} .*: expected a number from"):
        TokenSampling(**values)


def test_the_ends_are_within() -> None:
    bounds.SEED.check("seed", 0)
    bounds.SEED.check("seed", 2**63 - 1)
    bounds.DIFFUSION_STEPS.check("steps", 0)
    for seed in (-1, 2**63, 99999999999999999999, 1.5):
        with pytest.raises(ConfigError, match="expected a whole number from 0 to 9223372036854775807"):
            bounds.SEED.check("seed", seed)


def test_derived_seeds_are_seeds() -> None:
    assert bounds.derived_seed(7 * 1_000_003 + 5) == 7 * 1_000_003 + 5
    for number in (0, 1, 63):
        bounds.SEED.check("seed", bounds.derived_seed((2**63 - 1) * 1_000_003 + number * 1_000_000_007))
