"""The plan of a run on a rented GPU (``configs/gpu/*.yaml``): how the minutes are divided, and what is set for training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from triforce_tts import schema
from triforce_tts.errors import ConfigError
from triforce_tts.manifest import STAGES
from triforce_tts.schema import Config

from ..trainer.settings import Some

Limit = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]  # seconds
Part = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]  # a share, in any unit


class Shares(Config):
    """How the time for training is divided among the stages that are trained, in any unit."""

    dvae: Part
    gpt: Part
    diffusion: Part


class Plan(Config):
    """The whole of ``configs/gpu/*.yaml``; seconds are of the clock."""

    shares: Shares
    tests_seconds: Limit  # the most time for the tests of the GPU
    benchmarks_seconds: Limit
    codes_seconds: Limit
    # The time that is kept free at the end of each trained stage, for its last validation and for saving.
    closing_seconds: Limit
    # A stage that has not ended so long after its share of the time is stopped.
    overrun_seconds: Limit
    bundle_seconds: Limit  # the time that is kept free at the end, for the model folder and the results
    code_processes: Some  # the number of processes that code shards
    settings: tuple[str, ...] = ()  # settings for all stages, such as run.workers=10
    dvae: tuple[str, ...] = ()  # settings for one stage alone
    gpt: tuple[str, ...] = ()
    diffusion: tuple[str, ...] = ()

    def settings_of(self, stage: str) -> list[str]:
        """What the plan sets for the training of ``stage``."""
        return [*self.settings, *getattr(self, stage)]


def load_plan(path: Path | str, settings: Sequence[str] = ()) -> Plan:
    """The plan with the name or the path ``path``, with overrides such as ``shares.gpt=8``."""
    return schema.load(Plan, "gpu", str(path), settings)


def divide(settings: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The overrides of the plan, and those of each stage, whose keys begin with its name: ``gpt.run.batch_size=64``.

    Raises:
        ConfigError: an override names a stage but none of its settings.
    """
    plan: list[str] = []
    stages: dict[str, list[str]] = {stage: [] for stage in STAGES}
    for setting in settings:
        first, dot, rest = setting.partition(".")
        if first not in stages:
            plan.append(setting)
        elif dot and "=" in rest:
            stages[first].append(rest)
        else:
            raise ConfigError(f"setting '{setting}': expected {first}.KEY=VALUE, such as {first}.run.batch_size=64")
    return plan, stages
