"""Codes and likelihoods over whole held-out lists: ``python -m benchmarks.quality MODEL --speech FOLDER --out FILE``.

These are the figures that need held-out data in the form of training: ``codes`` (what the codes keep and how they are
used) and ``gpt`` (held-out likelihood; needs --codes). What a listener hears is measured by ``triforce-tts evaluate``.
Each figure is a mean with a bootstrap 95 % interval over utterances. A report holds figures of one model only.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from triforce_tts import Synthesizer, checkpoint
from triforce_tts.audio.edit import normalize_level
from triforce_tts.audio.io import read_audio
from triforce_tts.audio.mel import mel_spectrogram
from triforce_tts.data.common.clips import Clip
from triforce_tts.data.common.heldout import read_heldout
from triforce_tts.data.labelled.labels import find_clips
from triforce_tts.evaluation.statistics import interval
from triforce_tts.files import write_json
from triforce_tts.shards import ShardSet

KATHLEEN = "kathleen"
PARTS = ("codes", "gpt")


class Lists:
    """The held-out lists of a speech folder."""

    def __init__(self, speech: Path, limit: int) -> None:
        heldout = read_heldout(speech / "heldout.json")
        content = json.loads((speech / "heldout.json").read_text())
        clips = [r for r in find_clips([speech]).clips if heldout.holds(r)]
        self.kathleen = [r for r in clips if r.speaker == KATHLEEN][:limit]
        self.everyone = clips[: limit * 8]
        self.readers = [[r for r in clips if r.speaker == speaker] for speaker in content["readers"]][:limit]
        self.book = list(content["book_sentences"])[:limit]


def wave_of(clip: Clip, synthesizer: Synthesizer) -> torch.Tensor:
    """The audio of ``clip`` at the sample rate and level of the model."""
    audio = read_audio(clip.audio, synthesizer.audio.sample_rate)
    return normalize_level(audio.samples, audio.sample_rate)[0]


def code_statistics(counts: torch.Tensor, code_rate: float) -> dict[str, Any]:
    """The use of the codes in each group, from their ``counts`` [groups, n_codes] at ``code_rate`` frames a second."""
    share = counts.double() / counts.sum(-1, keepdim=True)
    entropy = -(share * share.clamp_min(1e-12).log2()).sum(-1)
    return {
        "tokens_per_code": float(counts[0].sum()) / counts.shape[-1],
        "code_use": (counts > 0).double().mean(-1).tolist(),
        "perplexity": (2**entropy).tolist(),
        "bits_per_second": float(entropy.sum()) * code_rate,
    }


@torch.inference_mode()
def codes_of(synthesizer: Synthesizer, lists: Lists) -> dict[str, Any]:
    """The error of the codes over all held-out recordings (L1 of the log-mel in nats), and how the codes are used."""
    audio, dvae = synthesizer.audio, synthesizer.dvae
    config = dvae.config
    counts = torch.zeros(config.groups, config.n_codes, dtype=torch.long)
    errors: dict[str, list[float]] = {}
    for clip in lists.everyone:
        mel = mel_spectrogram(wave_of(clip, synthesizer)[None], audio)
        codes = dvae.encode(mel)
        error = float((dvae.decode(codes)[:, : mel.shape[1]] - mel).abs().mean()) * audio.mel_std
        errors.setdefault(KATHLEEN if clip.speaker == KATHLEEN else "other readers", []).append(error)
        for group in range(config.groups):
            counts[group] += torch.bincount(codes[..., group].flatten(), minlength=config.n_codes)
    return {
        "l1_nats": {who: interval(values) for who, values in errors.items()},
        **code_statistics(counts, audio.frame_rate / config.downsampling),
    }


def heldout_task(config: dict[str, Any], codes: list[Path]) -> Any:
    """Stage 2's task on the coded shards ``codes``, as the GPT with ``config`` was trained.

    Only the data settings of the task are used; the network is the GPT's own.
    """
    from triforce_tts import schema
    from triforce_tts.stages import gpt as stage

    settings = schema.load(
        stage.GPTSettings, "gpt", "nano" if config["num_hidden_layers"] > 2 else "tiny",
        [f"data.voice_seconds={config['voice_seconds']}", "data.letters_share=0.0", "data.guide_weight=0.0",
         f"data.reads={str(config['vocabulary'].get('reads', False)).lower()}"],
    )  # fmt: skip
    return stage.build(settings, codes)


def gpt(synthesizer: Synthesizer, codes: list[Path], limit: int) -> dict[str, Any]:
    """Held-out nats for each code and bits a second, with the right text and with another one, by group of speakers.

    Utterances that are longer than those of the training are left out and counted.
    """
    from triforce_tts.stages.gpt import speech_losses

    task = heldout_task(checkpoint.read_config(synthesizer.folder / "gpt", "gpt"), codes)
    own_dvae = checkpoint.read_lineage(synthesizer.folder / "dvae")["id"]
    checkpoint.require_same("DVAE", str(codes[0]), task.code["dvae"], str(synthesizer.folder), own_dvae)
    rate = task.code["code_rate"] * task.code["groups"]
    everyone = task.heldout
    whole = ShardSet.open(codes, "heldout", "codes")
    result: dict[str, Any] = {}
    for name, is_kathleen in ((KATHLEEN, True), ("other readers", False)):
        task.heldout = everyone.select(lambda speaker, _, is_kathleen=is_kathleen: (speaker == KATHLEEN) == is_kathleen)
        if not len(task.heldout):
            continue
        count = min(limit, len(task.heldout))
        own = speech_losses(task, synthesizer.gpt, count)
        wrong = speech_losses(task, synthesizer.gpt, count, shuffle=True)
        tokens = sum(n for _, n in own)
        nats = sum(t for t, _ in own) / tokens
        better = [float(a[0] < b[0]) for a, b in zip(own, wrong, strict=True)]
        result[name] = {
            "nats_per_code": nats,
            "nats_per_code_by_utterance": interval([t / n for t, n in own]),
            "nats_per_code_shuffled_text": sum(t for t, _ in wrong) / sum(n for _, n in wrong),
            "own_text_likelier": interval(better),
            "bits_per_second": nats / float(np.log(2)) * rate,
            "utterances": count,
            "left_out_for_length": sum((s == KATHLEEN) == is_kathleen for s in whole.speakers) - len(task.heldout),
        }
    return result


def markdown(part: str, figures: dict[str, Any]) -> str:
    """A table with one row for each figure; means have their interval."""
    lines = [f"\n### {part}\n", "| figure | value |", "|---|---|"]

    def rows(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                rows(f"{prefix}, {name}" if prefix else name, inner)
        elif isinstance(value, tuple):  # the value is a result of ``interval``
            lines.append(f"| {prefix} | {value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f}) |")
        elif isinstance(value, list):
            lines.append(f"| {prefix} | {', '.join(f'{v:.3f}' if isinstance(v, float) else str(v) for v in value)} |")
        else:
            lines.append(f"| {prefix} | {f'{value:.3f}' if isinstance(value, float) else value} |")

    rows("", figures)
    return "\n".join(lines)


def open_report(path: Path, model: str) -> dict[str, Any]:
    """The report at ``path``, to which parts are added; a new one if there is no file.

    Raises:
        SystemExit: the report has the figures of another model, or does not name its model.
    """
    if not path.exists():
        return {"model": model}
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if report.get("model") != model:
        raise SystemExit(f"{path}: figures of model {report.get('model')}, this one is {model}; choose another --out")
    return report


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--codes", type=Path, action="append", default=[])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--parts", default="all", help=f"all, or some of {','.join(PARTS)}; gpt needs --codes")
    parser.add_argument("--limit", type=int, default=10_000, help="of each list, for trials")
    arguments = parser.parse_args()
    parts = (
        [p for p in PARTS if p != "gpt" or arguments.codes] if arguments.parts == "all" else arguments.parts.split(",")
    )
    if unknown := sorted({*parts} - {*PARTS}):
        parser.error(f"unknown part '{unknown[0]}'; choose from {', '.join(PARTS)}, or all")
    if "gpt" in parts and not arguments.codes:
        parser.error("the part gpt needs --codes")
    lists = Lists(arguments.speech, arguments.limit)
    report = open_report(arguments.out, Synthesizer.load(arguments.model, "cpu").id)
    for part in parts:
        synthesizer = Synthesizer.load(arguments.model, "cpu")
        began = time.perf_counter()
        report[part] = (
            codes_of(synthesizer, lists) if part == "codes" else gpt(synthesizer, arguments.codes, arguments.limit)
        )
        print(f"{markdown(part, report[part])}\n\n{part}: {time.perf_counter() - began:.0f} s", flush=True)
        # This is written beside the figures, so that a trial with few utterances cannot be taken for a measurement.
        report.setdefault("measured", {})[part] = {"limit": arguments.limit}
        write_json(arguments.out, report)


if __name__ == "__main__":
    main()
