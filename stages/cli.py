"""``triforce-tts train dvae|gpt|diffusion|distill|dpo``: trains a stage by its settings into a run folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from triforce_tts import schema
from triforce_tts.errors import TriforceError
from triforce_tts.schema import Config

from .trainer.settings import RunSettings

app = typer.Typer(
    help="Train one of the three networks. Run through 'accelerate launch' for several processes (see the Makefile).",
    no_args_is_help=True,
)

ConfigName = Annotated[str, typer.Option("--config", help="tiny, nano, or a path to a .yaml file.")]
DataFolders = Annotated[list[Path], typer.Option("--data", help="Shard folder; may be given several times.")]
RunFolder = Annotated[Path, typer.Option("--run", help="Folder of the run; an existing run goes on.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="Override a setting, as run.steps=100; repeatable.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what the run would cost (parameters, memory, arithmetic); train nothing.")
]
Days = Annotated[
    float, typer.Option(help="With --dry-run: how fast must it be to end in so many days?", min=0.01, max=36500)
]
DVAECheckpoint = Annotated[Path, typer.Option("--dvae", help="Run or checkpoint of the DVAE.")]


@app.command()
def dvae(
    data: DataFolders,
    run: RunFolder,
    config: ConfigName = "nano",
    set_: Settings = None,
    dry_run: DryRun = False,
    days: Days = 7.0,
) -> None:
    """Stage 1: mel spectrograms to integers and back."""
    from . import dvae as stage

    settings = schema.load(stage.DVAESettings, stage.NAME, config, set_ or ())
    _fit(settings, settings.run, run, lambda: stage.build(settings, data), days if dry_run else None)


@app.command()
def gpt(
    data: DataFolders,
    run: RunFolder,
    config: ConfigName = "nano",
    set_: Settings = None,
    dry_run: DryRun = False,
    days: Days = 7.0,
) -> None:
    """Stage 2: text to integers (DATA holds coded shards, see 'triforce-tts codes')."""
    from . import gpt as stage

    settings = schema.load(stage.GPTSettings, stage.NAME, config, set_ or ())
    _fit(settings, settings.run, run, lambda: stage.build(settings, data), days if dry_run else None)


@app.command()
def diffusion(
    data: DataFolders,
    run: RunFolder,
    dvae: DVAECheckpoint,
    config: ConfigName = "nano",
    set_: Settings = None,
    dry_run: DryRun = False,
    days: Days = 7.0,
) -> None:
    """Stage 3: the DVAE's blurry decode to a full-resolution spectrogram."""
    from . import diffusion as stage

    settings = schema.load(stage.DiffusionSettings, stage.NAME, config, set_ or ())
    _fit(settings, settings.run, run, lambda: stage.build(settings, data, dvae), days if dry_run else None)


@app.command()
def distill(
    data: DataFolders,
    run: RunFolder,
    dvae: DVAECheckpoint,
    teacher: Annotated[Path, typer.Option("--teacher", help="Run or checkpoint of stage 3 to learn from.")],
    config: ConfigName = "nano",
    set_: Settings = None,
    dry_run: DryRun = False,
    days: Days = 7.0,
) -> None:
    """After stage 3: the same network, taught to arrive in one or two steps."""
    from . import distill as stage

    settings = schema.load(stage.DistillSettings, stage.NAME, config, set_ or ())
    _fit(settings, settings.run, run, lambda: stage.build(settings, data, dvae, teacher), days if dry_run else None)


@app.command()
def dpo(
    pairs: Annotated[list[Path], typer.Option("--pairs", help="Folder of 'triforce-tts prefer'; repeatable.")],
    run: RunFolder,
    init: Annotated[Path, typer.Option("--init", help="Model folder, or run or checkpoint of stage 2, to start from.")],
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="Coded shards whose held-out speech is validated too; repeatable."),
    ] = None,
    config: ConfigName = "nano",
    set_: Settings = None,
    dry_run: DryRun = False,
    days: Days = 7.0,
) -> None:
    """After stage 2: the same network, taught which of two renditions is better."""
    from .preferences import dpo as stage

    start = stage.gpt_of(init)
    overrides = [*(set_ or ()), f"run.init_from={json.dumps(str(start))}"]
    settings = schema.load(stage.DPOSettings, stage.NAME, config, overrides)
    _fit(
        settings, settings.run, run, lambda: stage.build(settings, pairs, start, data or ()),
        days if dry_run else None,
    )  # fmt: skip


def _fit(
    settings: Config, run_settings: RunSettings, run: Path, build: Callable[[], Any], dry_days: float | None
) -> None:
    import torch

    from .estimate import estimate
    from .trainer.loop import Trainer

    torch.manual_seed(run_settings.seed)  # the first weights, equal in all processes
    if dry_days is not None:
        task = build()
        typer.echo("\n".join([*task.notes, *estimate(task, run_settings, dry_days)]))
        return
    trainer: Trainer[Any, Any] = Trainer(build(), run_settings, run, settings.model_dump(mode="json"))
    outcome = trainer.fit()
    trainer.close()
    if not outcome.reached:
        raise TriforceError(
            f"{run}: could not overfit one batch to {run_settings.overfit:g} within the budget: "
            "the network, its loss or its learning rate is at fault"
        )
