"""The commands ``triforce-tts gpu-pack`` and ``triforce-tts gpu-run``: each writes a folder.

The work is in ``pack`` and ``run``, which import torch; ``--help`` does not wait for it.
"""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from triforce_tts.shards import SPLITS


def pack(
    data: Annotated[list[Path], typer.Option(help="Shards of sound to choose from; may be given several times.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    config: Annotated[str, typer.Option(help="Configuration of all three stages: tiny, nano, base.")] = "nano",
    codes: Annotated[list[Path] | None, typer.Option(help="Coded shards of the DVAE of --init, for stage 2.")] = None,
    init: Annotated[
        Path | None,
        typer.Option(
            help="Earlier weights: a folder with dvae, gpt, diffusion (any of them), or the --out of a gpu-run."
        ),
    ] = None,
    voice: Annotated[Path | None, typer.Option(help="Clip of the default voice; default: a training sample.")] = None,
    wheels: Annotated[
        list[str] | None,
        typer.Option(help="Package that the machine lacks, or a folder of wheels; may be given several times."),
    ] = None,
    python: Annotated[str, typer.Option(help="The machine's version of Python, for which wheels are fetched.")] = (
        f"{sys.version_info.major}.{sys.version_info.minor}"
    ),
    constraints: Annotated[Path | None, typer.Option(help="Versions of the wheels, as pip's -c.")] = None,
    bit_rate: Annotated[int, typer.Option(help="Bits a second of the sound.", min=6000, max=256_000)] = 24_000,
    heldout: Annotated[int, typer.Option(help="Held-out samples at most.", min=0, max=100_000)] = 40,
    megabytes: Annotated[
        float, typer.Option(help="Size of the folder at most, in millions of bytes.", min=0.1, max=1e6)
    ] = 34,
    plan: Annotated[
        str, typer.Option(help="How the minutes are spent: default, tiny, or a path to a .yaml file.")
    ] = "default",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a setting, as gpt.run.batch_size=64 or shares.gpt=8; repeatable."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a pack that is at --out.")] = False,
) -> None:
    """Write one folder from which a GPU without a network trains (see gpu-run)."""
    from .pack import MEGABYTE, PackOrder, make_pack, size_of

    order = PackOrder(
        data,
        codes or (),
        config,
        plan,
        set_ or (),
        init,
        voice,
        wheels or (),
        constraints,
        python,
        bit_rate,
        heldout,
        megabytes,
    )
    written = make_pack(order, out, force)
    for name, what in written.contents.items():
        parts = [f"{split} {what['samples'][split]} samples, {what['seconds'][split] / 3600:.3f} h" for split in SPLITS]
        more = f"no room for {what['left']}, {what['unspeakable']} with a text that cannot be spoken"
        typer.echo(f"{name}: {'; '.join(parts)}; {more}", err=True)
    typer.echo(f"{out}: {size_of(out) / MEGABYTE:.2f} MB", err=True)


def run(
    folder: Annotated[Path, typer.Option("--pack", help="Folder that gpu-pack made.")],
    out: Annotated[Path, typer.Option(help="New folder for the results.")],
    minutes: Annotated[float, typer.Option(help="Minutes in which everything ends.", min=0.05, max=100_000)] = 9.0,
    stages: Annotated[str, typer.Option(help="Which, in this order.")] = "dvae codes diffusion gpt",
    began: Annotated[
        float | None,
        typer.Option(help="Time from which the minutes count, in seconds since 1970; default: now.", min=0),
    ] = None,
    checks: Annotated[bool, typer.Option(help="Begin with the tests of the GPU and the benchmarks.")] = True,
    work: Annotated[
        Path | None, typer.Option(help="Folder for whole checkpoints; default: one that is removed.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a setting, as gpt.run.batch_size=64 or shares.gpt=8; repeatable."),
    ] = None,
) -> None:
    """Train from a pack within so many minutes, and leave fp16 weights that travel well; exit code 1 if a step fails."""
    from .run import run_pack

    start = time.time() if began is None else began
    if not run_pack(folder, out, start + 60 * minutes, stages.split(), checks, work, set_ or ()):
        raise typer.Exit(1)
