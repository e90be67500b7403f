"""After training: three checkpoints to one model folder; and light exports that travel well."""

import hashlib
import shutil
from pathlib import Path
from typing import Annotated

import typer

from triforce_tts import checkpoint
from triforce_tts.audio.io import read_audio, write_audio
from triforce_tts.checkpoint import CONFIG, WEIGHTS
from triforce_tts.files import MARKER, new_folder, write_json, write_text
from triforce_tts.manifest import DEFAULT_VOICE, MANIFEST, STAGES
from triforce_tts.synthesis import check_lineage
from triforce_tts.text.tokenizer import TextTokenizer

from .loop import TRAINER

CARD = "MODEL_CARD.md"


def copy_half(source: Path, target: Path, lineage: dict[str, object] | None = None) -> None:
    """Copy a checkpoint with its weights in fp16; it keeps its id."""
    weights = checkpoint.load_tensors(source / WEIGHTS)
    target.mkdir(parents=True)
    half = {name: value.half() if value.is_floating_point() else value for name, value in weights.items()}
    config = {k: v for k, v in checkpoint.read_json(source / CONFIG).items() if k != "format"}
    if "torch_dtype" in config:
        config["torch_dtype"] = "float16"
    checkpoint.save(target, half, config, lineage or checkpoint.read_lineage(source))


def bundle(paths: dict[str, Path], out: Path, name: str, voice: Path, card: Path | None, diffusion_steps: int) -> None:
    """Write a model folder of the checkpoints in ``paths`` (by stage), refusing a mismatched set."""
    found = {stage: checkpoint.locate(path) for stage, path in paths.items()}
    for stage, path in found.items():
        checkpoint.read_config(path, stage)
    clip = read_audio(voice)
    with new_folder(out, "model", list(paths.values())) as folder:
        for stage, path in found.items():
            copy_half(path, folder / stage)
        check_lineage(folder, TextTokenizer())
        write_audio(folder / DEFAULT_VOICE, clip)
        if card is not None:
            shutil.copy(card, folder / CARD)
        else:
            write_text(folder / CARD, _card(name, found))
        files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MARKER)
        checksums = {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
        ids = {stage: checkpoint.read_lineage(folder / stage)["id"] for stage in STAGES}
        identity = hashlib.sha256("".join(ids.values()).encode()).hexdigest()[:12]
        manifest = {"name": name, "id": identity, "networks": ids, "diffusion_steps": diffusion_steps}
        write_json(folder / MANIFEST, {**manifest, "sha256": checksums})


def _card(name: str, found: dict[str, Path]) -> str:
    lines = [f"# {name}", "", "| network | parameters | steps | data |", "|---|---|---|---|"]
    for stage, path in found.items():
        count = sum(t.numel() for t in checkpoint.load_tensors(path / WEIGHTS).values())
        lineage = checkpoint.read_lineage(path)
        lines.append(f"| {stage} | {count / 1e6:.2f} M | {lineage.get('steps')} | {lineage.get('data')} |")
    return "\n".join([*lines, "", "No figures were measured for this model.", ""])


def bundle_command(
    dvae: Annotated[Path, typer.Option(help="Run or checkpoint of stage 1.")],
    gpt: Annotated[Path, typer.Option(help="Run or checkpoint of stage 2.")],
    diffusion: Annotated[Path, typer.Option(help="Run or checkpoint of stage 3.")],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    voice: Annotated[Path, typer.Option(help="Clip of the default voice, a few seconds of speech.")],
    name: Annotated[str, typer.Option(help="Name of the model.")] = "custom",
    card: Annotated[Path | None, typer.Option(help="Model card to include; default: a short one is written.")] = None,
    diffusion_steps: Annotated[int, typer.Option(help="Steps of stage 3 when speaking.")] = 1,
) -> None:
    """Put three checkpoints that were trained together into one model folder (fp16)."""
    bundle({"dvae": dvae, "gpt": gpt, "diffusion": diffusion}, out, name, voice, card, diffusion_steps)
    size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file()) / 1e6
    typer.echo(f"{out}: {size:.1f} MB", err=True)


def export_command(
    run: Annotated[Path, typer.Argument(help="Run to export.")],
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    light: Annotated[bool, typer.Option("--light", help="fp16 averaged weights and position, no optimiser.")] = False,
) -> None:
    """Make a small copy of a run's latest checkpoint from which training goes on.

    A light copy starts with a fresh optimiser and a short warm-up: this is not an exact resume.
    """
    source = checkpoint.locate(run)
    state = checkpoint.read_json(source / TRAINER / "state.json")
    with new_folder(out, "run", [run]) as folder:
        target = folder / source.name
        if light:
            copy_half(source, target)
            (target / TRAINER).mkdir()
            write_json(target / TRAINER / "state.json", {**state, "light": True})
        else:
            shutil.copytree(source, target)
        write_text(folder / "latest", source.name)
    if light:
        typer.echo(f"{out}: light copy; resuming from it is not exact (fresh optimiser, short warm-up)", err=True)
