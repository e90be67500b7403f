"""After training: the mean of the weights of several checkpoints of one network."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triforce_tts.bounds import Bound
from triforce_tts.errors import ConfigError
from triforce_tts.files import new_folder

if TYPE_CHECKING:
    from torch import Tensor

SHARE = Bound(0.0, 4.0, whole=False)  # of the last checkpoint


def _architecture(path: Path, stage: str) -> dict[str, Any]:
    """The parts of a configuration that say how a network computes; equal shapes do not (the number of heads, for example).

    Settings that an older version did not write have their defaults.
    """
    from triforce_tts import checkpoint, schema
    from triforce_tts.audio.mel import AudioConfig
    from triforce_tts.models.dvae import DVAEConfig
    from triforce_tts.models.gpt import GPTConfig
    from triforce_tts.models.targets import DiffusionConfig
    from triforce_tts.sequences import VocabularyConfig

    kinds: dict[str, dict[str, type[schema.Config]]] = {
        "dvae": {"model": DVAEConfig, "audio": AudioConfig},
        "gpt": {"model": GPTConfig, "vocabulary": VocabularyConfig},
        "diffusion": {"model": DiffusionConfig},
    }
    found = checkpoint.read_config(path, stage)
    parts = {}
    for part, kind in kinds.get(stage, {}).items():
        if part in found:
            parts[part] = schema.parse(kind, found[part], f"{path}: {part}").model_dump(mode="json")
    return parts


def _require_alike(paths: Sequence[Path]) -> None:
    """Refuse checkpoints that are of another stage or architecture, or were made with another DVAE or tokenizer, than the last.

    Raises:
        CheckpointError: one of them is; the message names both sides.
    """
    from triforce_tts import checkpoint

    last = paths[-1]
    stage = str(checkpoint.read_json(last / checkpoint.CONFIG).get("stage"))
    ours, lineage = _architecture(last, stage), checkpoint.read_lineage(last)
    for path in paths:
        own, made_with = _architecture(path, stage), checkpoint.read_lineage(path)
        for part in sorted(ours | own):
            checkpoint.require_same(part, str(path), own.get(part), f"that of {last}", ours.get(part))
        for ancestor in ("dvae", "tokenizer"):
            checkpoint.require_same(
                ancestor, str(path), made_with.get(ancestor), f"that of {last}", lineage.get(ancestor)
            )


def average(checkpoints: Sequence[Path], out: Path, force: bool = False, share: float | None = None) -> None:
    """Write a checkpoint whose weights are the mean of those of ``checkpoints`` (Wortsman et al., "Model soups", 2022).

    The mean of a network and of what it became in further training is often better than either. Networks that were
    trained from different first weights have no useful mean, and nothing here can tell. With a ``share`` above 1 the
    weights go on beyond the last checkpoint, in the direction in which training moved them (Zheng et al., "Model
    Extrapolation Expedites Alignment", 2024, arXiv 2404.16792). The configuration and the lineage are those of the last
    checkpoint, and so are whole numbers among the weights (counts of what was seen); the lineage also names all of them
    under ``averaged``, and their shares if one was given.

    Args:
        checkpoints: two or more checkpoints or runs (of a run its latest checkpoint is taken; ``RUN/best`` names its best);
            one that is given twice beside another counts twice.
        out: the folder to write.
        force: replace a checkpoint that this program wrote there.
        share: the share of the last checkpoint, from 0 to 4; the others divide the rest evenly. None: all have the same.

    Raises:
        ConfigError: fewer than two checkpoints, or all of them are one, or the share is out of bounds.
        CheckpointError: one cannot be read, holds numbers that are not finite, is of another stage or another
            architecture, or was made with another DVAE or tokenizer.
        TriforceError: ``out`` holds something else.
    """
    from triforce_tts import checkpoint  # it loads torch, and --help must not wait for that

    if len(checkpoints) < 2:
        raise ConfigError(f"average: expected two or more checkpoints, found {len(checkpoints)}; name another")
    found = [checkpoint.locate(path) for path in checkpoints]
    if share is not None:
        SHARE.check("--share", share)
    others = 1 / len(found) if share is None else (1 - share) / (len(found) - 1)
    shares = [*[others] * (len(found) - 1), others if share is None else share]
    if len({path.resolve() for path in found}) == 1:
        raise ConfigError(f"average: all of the {len(found)} checkpoints are {found[0]}; name another")
    last = found[-1]
    config = checkpoint.read_json(last / checkpoint.CONFIG)
    if "torch_dtype" in config:
        config["torch_dtype"] = "float32"  # of the mean; the checkpoints may hold fp16
    lineages = [checkpoint.read_lineage(path) for path in found]
    _require_alike(found)
    total: dict[str, Tensor] = {}
    for path, own_share in zip(found, shares, strict=True):
        weights = checkpoint.load_tensors(path / checkpoint.WEIGHTS)
        checkpoint.require_fit(
            checkpoint.shapes_of(total or weights), checkpoint.shapes_of(weights), str(path), str(found[0])
        )
        checkpoint.require_finite(weights, str(path))
        for name, value in weights.items():
            if value.is_floating_point():
                part_of_it = value.float() * own_share
                total[name] = total[name] + part_of_it if name in total else part_of_it
            else:
                total[name] = value  # counts have no mean: those of the last checkpoint stay
    kept = {name: value for name, value in lineages[-1].items() if name != "id"}
    made_of = {"averaged": [lineage["id"] for lineage in lineages], **({} if share is None else {"shares": shares})}
    with new_folder(out, "checkpoint", [*checkpoints, *found], force) as folder:
        checkpoint.save(folder, total, config, {**kept, **made_of})


def average_command(
    checkpoints: Annotated[
        list[Path], typer.Argument(help="Two or more runs or checkpoints of one network, oldest first.")
    ],
    out: Annotated[Path, typer.Option(help="Checkpoint folder to write.")],
    share: Annotated[
        float | None,
        typer.Option(
            help="The share of the last one, from 0 to 4, the others divide the rest; above 1 the weights go on beyond it. "
            "Default: all have the same share."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a checkpoint that is at --out.")] = False,
) -> None:
    """Write the mean of the weights of a network and of what it became in further training.

    For a run its latest checkpoint is taken; RUN/best names its best. The mean is often better than either, and after
    'train dpo' a share of 2 may be better still: give it to bundle.
    """
    average(checkpoints, out, force, share)
    of_last = "" if share is None else f", {share:g} of the last one"
    typer.echo(f"{out}: the mean of {len(checkpoints)} checkpoints{of_last}", err=True)
