"""After training: puts three checkpoints into one model folder, and writes light exports that travel well."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triforce_tts import bounds
from triforce_tts.errors import ConfigError
from triforce_tts.files import MARKER, new_folder, read_text_file, write_json, write_text
from triforce_tts.schema import parse_record
from triforce_tts.text.tokenizer import TextTokenizer

if TYPE_CHECKING:
    from triforce_tts.audio.io import Audio

CARD = "MODEL_CARD.md"


def copy_half(source: Path, target: Path, lineage: dict[str, object] | None = None) -> None:
    """Copy a checkpoint with its weights in fp16; it keeps its id.

    Raises:
        CheckpointError: the checkpoint is damaged, or holds weights that are no fp16 numbers.
    """
    # This import and those below stand here, because they load torch, and --help must not wait for that.
    from triforce_tts import checkpoint

    weights = checkpoint.load_tensors(source / checkpoint.WEIGHTS)
    target.mkdir(parents=True, exist_ok=True)
    half = {name: value.half() if value.is_floating_point() else value for name, value in weights.items()}
    checkpoint.require_finite(half, str(source), "weights that are not finite in fp16")
    config = {k: v for k, v in checkpoint.read_json(source / checkpoint.CONFIG).items() if k != "format"}
    if "torch_dtype" in config:
        config["torch_dtype"] = "float16"
    checkpoint.save(target, half, config, lineage or checkpoint.read_lineage(source))


def bundle(
    paths: dict[str, Path],
    out: Path,
    name: str,
    voice: Path,
    card: Path | None,
    diffusion_steps: int,
    force: bool = False,
    called: str = "",
) -> str:
    """Write a model folder of the checkpoints in ``paths`` (by stage), and speak with it as far as its voice.

    The voice is ``called`` so in the tags of books, or by its own name, or by that of its file.

    Returns:
        A note for the user about the voice's clip, such as that it does not sound like speech; mostly empty.

    Raises:
        ConfigError: the name or the number of steps is out of bounds.
        CheckpointError: the checkpoints do not belong together, or one cannot be used.
        AudioError: the clip is no second of speech.
        TriforceError: ``out`` holds something else; ``force`` replaces another model.
    """
    import torch

    from triforce_tts import checkpoint
    from triforce_tts.audio.io import encode_flac
    from triforce_tts.manifest import DEFAULT_VOICE, MANIFEST, STAGES, Manifest
    from triforce_tts.models.load import load_dvae
    from triforce_tts.named_voices import find_clip, voice_name
    from triforce_tts.synthesis.cloning import open_voice
    from triforce_tts.synthesis.model import load_model, require_together
    from triforce_tts.voices import read_reference

    facts = {"name": name, "diffusion_steps": diffusion_steps, "voice": (called or voice_name(voice))[:100]}
    parse_record(Manifest, json.dumps({**facts, "id": "unknown", "networks": {}, "sha256": {}}), "bundle", ConfigError)
    checkpoints = {stage: checkpoint.locate(path) for stage, path in paths.items()}
    for stage, path in checkpoints.items():
        checkpoint.read_config(path, stage)
    require_together(paths, TextTokenizer())
    voice = find_clip(voice)
    _, note = read_reference(voice, load_dvae(checkpoints["dvae"])[1])
    clip = _clip(voice)
    card_text = _card(name, checkpoints) if card is None else read_text_file(card)
    sources = [*paths.values(), *checkpoints.values(), voice, *([] if card is None else [card])]
    with new_folder(out, "model", sources, force) as folder:
        for stage, path in checkpoints.items():
            copy_half(path, folder / stage)
        (folder / DEFAULT_VOICE).write_bytes(encode_flac(clip))
        write_text(folder / CARD, card_text)
        files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MARKER)
        checksums = {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
        ids = {stage: checkpoint.read_lineage(folder / stage)["id"] for stage in STAGES}
        # The configurations belong to it, because they decide how the networks speak: how much codes are guided, for example.
        configurations = [checksums[f"{stage}/{checkpoint.CONFIG}"] for stage in STAGES]
        identity = hashlib.sha256("".join([*ids.values(), *configurations]).encode()).hexdigest()[:12]
        write_json(folder / MANIFEST, {**facts, "id": identity, "networks": ids, "sha256": checksums})
        open_voice(load_model(folder, torch.device("cpu")))
    return note


def _clip(voice: Path) -> "Audio":
    """The clip of a voice with its tags, which name the person whose voice it is, and its licence."""
    from triforce_tts.audio.io import TAGS, flac_tags, read_audio, read_tags
    from triforce_tts.voices import SEARCHED_SECONDS

    # A rented machine has no FFmpeg, and FLAC is read without it.
    tags = flac_tags(voice) if voice.suffix.lower() == ".flac" else read_tags(voice)
    voice_tags = {name: value for name, value in tags.items() if name in TAGS}
    return replace(read_audio(voice, max_seconds=SEARCHED_SECONDS), tags=voice_tags)


def _card(name: str, checkpoints: dict[str, Path]) -> str:
    from triforce_tts import checkpoint

    lines = [f"# {name}", "", "| network | parameters | steps | data |", "|---|---|---|---|"]
    for stage, path in checkpoints.items():
        count = sum(t.numel() for t in checkpoint.load_tensors(path / checkpoint.WEIGHTS).values())
        lineage = checkpoint.read_lineage(path)
        lines.append(f"| {stage} | {count / 1e6:.2f} M | {lineage.get('steps')} | {lineage.get('data')} |")
    return "\n".join([*lines, "", "No figures were measured for this model.", ""])


def bundle_command(
    dvae: Annotated[Path, typer.Option(help="Run or checkpoint of stage 1.")],
    gpt: Annotated[Path, typer.Option(help="Run or checkpoint of stage 2.")],
    diffusion: Annotated[Path, typer.Option(help="Run or checkpoint of stage 3.")],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    voice: Annotated[Path, typer.Option(help="Clip of the default voice, a few seconds of speech.")],
    name: Annotated[str, typer.Option(help="Name of the model, at most 100 characters.")] = "custom",
    card: Annotated[Path | None, typer.Option(help="Model card to include; default: a short one is written.")] = None,
    diffusion_steps: Annotated[
        int,
        typer.Option(
            help="Steps of stage 3 when speaking; 0 leaves it out.", min=0, max=int(bounds.DIFFUSION_STEPS.most)
        ),
    ] = 1,
    force: Annotated[bool, typer.Option("--force", help="Replace a model that is at --out.")] = False,
) -> None:
    """Put three checkpoints that were trained together into one model folder (fp16)."""
    note = bundle({"dvae": dvae, "gpt": gpt, "diffusion": diffusion}, out, name, voice, card, diffusion_steps, force)
    if note:
        typer.echo(note, err=True)
    size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file()) / 1e6
    typer.echo(f"{out}: {size:.1f} MB", err=True)


def export_command(
    run: Annotated[Path, typer.Argument(help="Run to export.")],
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    light: Annotated[bool, typer.Option("--light", help="fp16 averaged weights and position, no optimiser.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a run that is at --out.")] = False,
) -> None:
    """Make a small copy of a run's latest checkpoint from which training goes on.

    A light copy starts with a fresh optimiser and a short warm-up: this is not an exact resume.
    """
    from triforce_tts import checkpoint

    from .trainer.state import STATE, TRAINER, read_state

    source = checkpoint.locate(run)
    state = read_state(source)
    with new_folder(out, "run", [run, source], force) as folder:
        if light:
            with new_folder(folder / source.name, "checkpoint") as target:
                copy_half(source, target)
                (target / TRAINER).mkdir()
                without = {"light": True, "optimizer": None, "optimizer_tensors": None}
                write_json(target / TRAINER / STATE, {**state.model_dump(mode="json"), **without})
        else:
            shutil.copytree(source, folder / source.name)
        write_text(folder / "latest", source.name)
    if light:
        typer.echo(f"{out}: light copy; resuming from it is not exact (fresh optimiser, short warm-up)", err=True)
