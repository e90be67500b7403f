"""Quality of a model over whole held-out lists: ``python -m benchmarks.quality MODEL --speech FOLDER --out FILE``.

Parts: ``stage1`` (codes and resynthesis), ``gpt`` (held-out likelihood; needs --codes), ``speak`` (default voice),
``voices`` (does --voice do something). Each figure is a mean with a bootstrap 95 % interval over utterances; where
several seeds speak one sentence, or for one reader, their mean counts once. A report holds figures of one model only.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.recogniser import character_errors, interval
from triforce_tts import Synthesizer, checkpoint
from triforce_tts.audio.edit import join, normalize_level
from triforce_tts.audio.io import read_audio
from triforce_tts.audio.mel import envelope, griffin_lim, mel_spectrogram
from triforce_tts.data.common.clips import Recording
from triforce_tts.data.common.heldout import read_heldout
from triforce_tts.data.labelled.labels import find_recordings
from triforce_tts.files import write_json
from triforce_tts.shards import ShardSet

KATHLEEN = "kathleen"
PARTS = ("stage1", "gpt", "speak", "voices")


class Lists:
    """The held-out lists of a speech folder."""

    def __init__(self, speech: Path, limit: int) -> None:
        held = read_heldout(speech / "heldout.json")
        content = json.loads((speech / "heldout.json").read_text())
        recordings = [r for r in find_recordings([speech]).recordings if held.holds(r)]
        self.kathleen = [r for r in recordings if r.speaker == KATHLEEN][:limit]
        self.everyone = recordings[: limit * 8]
        self.readers = [[r for r in recordings if r.speaker == speaker] for speaker in content["readers"]][:limit]
        self.book = list(content["book_sentences"])[:limit]


def clip(recording: Recording, synthesizer: Synthesizer) -> torch.Tensor:
    """The recording at the model's rate and level."""
    audio = read_audio(recording.audio, synthesizer.audio.sample_rate)
    return normalize_level(audio.samples, audio.sample_rate)[0]


def code_statistics(counts: torch.Tensor, code_rate: float) -> dict[str, Any]:
    """How the codes of each group are used, from ``counts`` [groups, n_codes] of them; ``code_rate`` frames a second."""
    share = counts.double() / counts.sum(-1, keepdim=True)
    entropy = -(share * share.clamp_min(1e-12).log2()).sum(-1)
    return {
        "tokens_per_code": float(counts[0].sum()) / counts.shape[-1],
        "code_use": (counts > 0).double().mean(-1).tolist(),
        "perplexity": (2**entropy).tolist(),
        "bits_per_second": float(entropy.sum()) * code_rate,
    }


@torch.inference_mode()
def stage1(synthesizer: Synthesizer, lists: Lists) -> dict[str, Any]:
    """Codes over all held-out recordings; recogniser error over kathleen's of each way back to sound."""
    audio, dvae = synthesizer.audio, synthesizer.dvae
    config = dvae.config
    counts = torch.zeros(config.groups, config.n_codes, dtype=torch.long)
    errors: dict[str, list[float]] = {}
    for recording in lists.everyone:
        mel = mel_spectrogram(clip(recording, synthesizer)[None], audio)
        codes = dvae.encode(mel)
        error = float((dvae.decode(codes)[:, : mel.shape[1]] - mel).abs().mean()) * audio.mel_std
        errors.setdefault(KATHLEEN if recording.speaker == KATHLEEN else "other readers", []).append(error)
        for group in range(config.groups):
            counts[group] += torch.bincount(codes[..., group].flatten(), minlength=config.n_codes)
    result: dict[str, Any] = {
        "l1_nats": {who: interval(values) for who, values in errors.items()},
        **code_statistics(counts, audio.frame_rate / config.downsampling),
    }
    natural = [clip(r, synthesizer) for r in lists.kathleen]
    ways = {"natural": natural, "Griffin-Lim from the true mel": []}
    for sound in natural:
        mel = mel_spectrogram(sound[None], audio)
        ways["Griffin-Lim from the true mel"].append(griffin_lim(envelope(mel, audio)[0], audio)[: len(sound)])
    for steps in (0, 1, 4, 8):
        synthesizer.settings = replace(synthesizer.settings, diffusion_steps=steps)
        name = f"resynthesize, {steps} steps" if steps else "DVAE decode + Griffin-Lim"
        ways[name] = [synthesizer.resynthesize(r.audio).samples for r in lists.kathleen]
    texts = [r.text for r in lists.kathleen]
    result["character_error"] = {
        name: interval(character_errors(clips, audio.sample_rate, texts)) for name, clips in ways.items()
    }
    return result


ENDINGS = ("ended by itself", "duration as predicted", "quiet at the end")


def quiet_at_the_end(samples: torch.Tensor, rate: int) -> bool:
    """Whether the last 100 ms lie below -40 dB of the peak."""
    return float(samples[-rate // 10 :].abs().max()) < 0.01 * float(samples.abs().max())


def endings(synthesizer: Synthesizer, spoken: list[Any]) -> list[float]:
    """Shares (0 or 1) of ENDINGS of one text: whether each holds for all of its sentences.

    Duration: 0.6 to 1.6 times what the characters predict. Quiet: of the wave before silence is cut.
    """
    rate = synthesizer.audio.sample_rate
    met = [True, True, True]
    for part in spoken:
        whole = synthesizer.decode(part.codes, spoken_voice(synthesizer).speaker, 0)
        in_time = 0.6 <= len(whole) / rate / part.predicted_s <= 1.6
        met = [a and b for a, b in zip(met, (part.ended, in_time, quiet_at_the_end(whole, rate)), strict=True)]
    return [float(value) for value in met]


def spoken_voice(synthesizer: Synthesizer) -> Any:
    """The default voice, made once."""
    if not hasattr(synthesizer, "_default"):
        synthesizer._default = synthesizer.voice()  # type: ignore[attr-defined]
    return synthesizer._default  # type: ignore[attr-defined]


def speak(synthesizer: Synthesizer, lists: Lists, seeds: list[int]) -> dict[str, Any]:
    """Recogniser error and proper endings of the default voice, kathleen's sentences and the book's apart."""
    rate = synthesizer.audio.sample_rate
    natural = [clip(r, synthesizer) for r in lists.kathleen]
    texts = [r.text for r in lists.kathleen]
    result: dict[str, Any] = {
        "natural kathleen": interval(character_errors(natural, rate, texts)),
        "natural kathleen, quiet at the end": interval([float(quiet_at_the_end(s, rate)) for s in natural]),
    }
    for name, sentences in (("kathleen sentences", texts), ("book sentences", lists.book)):
        clips, ends, references = [], [], []
        for seed in seeds:
            for text in sentences:
                parts = list(synthesizer.sentences(text, spoken_voice(synthesizer), seed))
                clips.append(join([p.samples for p in parts], [p.pause_s for p in parts[:-1]], rate))
                ends.append(endings(synthesizer, parts))
                references.append(text)
        errors = character_errors(clips, rate, references)

        def by_text(values: Any) -> list[float]:
            found: list[float] = np.reshape(values, (len(seeds), -1)).mean(0).tolist()
            return found

        met = np.array(ends)
        result[name] = {
            "character_error": interval(by_text(errors)),
            **{ending: interval(by_text(met[:, i])) for i, ending in enumerate(ENDINGS)},
            "ends_properly": interval(by_text(met.all(1))),
            "utterances": len(clips),
        }
    return result


def voices(synthesizer: Synthesizer, lists: Lists, seeds: list[int]) -> dict[str, Any]:
    """Share of spoken clips that are nearest to their own reference, and the cosine; natural speech beside.

    Most readers have one recording, so second clips show few readers. The halves of the references show all, but
    share their recording: a generous ceiling.
    """
    from triforce_tts.data.embedding import embed

    rate = synthesizer.audio.sample_rate
    references = [clips[0] for clips in lists.readers]
    keys = np.stack([embed(clip(r, synthesizer), rate) for r in references])

    def judge(vectors: list[Any], owners: list[int], keys: Any = keys) -> dict[str, Any]:
        cosines = np.stack(vectors) @ keys.T
        nearest = [float(row.argmax() == owner) for row, owner in zip(cosines, owners, strict=True)]
        own = [float(row[owner]) for row, owner in zip(cosines, owners, strict=True)]
        # Seeds of one reader are no independent draws: the interval is over readers.
        by_owner = [
            float(np.mean([n for n, o in zip(nearest, owners, strict=True) if o == who])) for who in sorted({*owners})
        ]
        median = float(np.median(own))
        return {
            "nearest_is_own": interval(by_owner),
            "median_cosine": median,
            "clips": len(own),
            "readers": len(by_owner),
        }

    second = [(i, clips[1]) for i, clips in enumerate(lists.readers) if len(clips) > 1]
    result: dict[str, Any] = {"chance": 1 / len(references)}
    if second:
        result["natural second clip"] = judge(
            [embed(clip(r, synthesizer), rate) for _, r in second], [i for i, _ in second]
        )
    halves = [clip(r, synthesizer).tensor_split(2) for r in references]
    everyone = list(range(len(references)))
    result["natural halves of the reference"] = judge(
        [embed(end, rate) for _, end in halves], everyone, np.stack([embed(start, rate) for start, _ in halves])
    )
    result["resynthesized reference"] = judge(
        [embed(synthesizer.resynthesize(r.audio).samples, rate) for r in references], everyone
    )
    vectors, owners = [], []
    for number, reference in enumerate(references):
        voice = synthesizer.voice(reference.audio)
        for seed in seeds:
            text = lists.book[(number + seed) % len(lists.book)]
            vectors.append(embed(synthesizer.speak(text, voice, seed).samples, rate))
            owners.append(number)
    result["spoken"] = judge(vectors, owners)
    return result


def heldout_task(config: dict[str, Any], codes: list[Path]) -> Any:
    """Stage 2's task on the coded shards ``codes``, as the GPT with ``config`` was trained.

    Only its data settings are meant to be used; the network is the GPT's own.
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
    """Held-out nats a code and bits a second, given the right text and given another's, per speaker group.

    Utterances longer than the configuration trains on are left out, and counted.
    """
    from triforce_tts.stages.gpt import speech_losses

    task = heldout_task(checkpoint.read_config(synthesizer.folder / "gpt", "gpt"), codes)
    own_dvae = checkpoint.read_lineage(synthesizer.folder / "dvae")["id"]
    checkpoint.require_same("DVAE", str(codes[0]), task.code["dvae"], str(synthesizer.folder), own_dvae)
    rate = task.code["code_rate"] * task.code["groups"]
    everyone = task.heldout
    whole = ShardSet.open(codes, "heldout", "codes")
    result: dict[str, Any] = {}
    for name, wanted in ((KATHLEEN, True), ("other readers", False)):
        task.heldout = everyone.select(lambda speaker, _, wanted=wanted: (speaker == KATHLEEN) == wanted)
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
            "left_out_for_length": sum((s == KATHLEEN) == wanted for s in whole.speakers) - len(task.heldout),
        }
    return result


def markdown(part: str, figures: dict[str, Any]) -> str:
    """A table with one row a figure; means with their interval."""
    lines = [f"\n### {part}\n", "| figure | value |", "|---|---|"]

    def rows(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                rows(f"{prefix}, {name}" if prefix else name, inner)
        elif isinstance(value, tuple):  # of ``interval``
            lines.append(f"| {prefix} | {value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f}) |")
        elif isinstance(value, list):
            lines.append(f"| {prefix} | {', '.join(f'{v:.3f}' if isinstance(v, float) else str(v) for v in value)} |")
        else:
            lines.append(f"| {prefix} | {f'{value:.3f}' if isinstance(value, float) else value} |")

    rows("", figures)
    return "\n".join(lines)


def open_report(path: Path, model: str) -> dict[str, Any]:
    """The report at ``path`` to add parts to; a new one where there is none.

    Raises:
        SystemExit: it holds the figures of another model, or does not say of which.
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
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--temperature", type=float, help="of the GPT; default: the synthesizer's")
    parser.add_argument("--top-p", type=float, help="of the GPT; default: the synthesizer's")
    parser.add_argument("--candidates", type=int, default=1, help="drawn of each sentence, ranked by the flip")
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
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    report = open_report(arguments.out, Synthesizer.load(arguments.model, "cpu").id)
    for part in parts:
        synthesizer = Synthesizer.load(arguments.model, "cpu")
        given = {"temperature": arguments.temperature, "top_p": arguments.top_p}
        sampling = replace(synthesizer.settings.sampling, **{k: v for k, v in given.items() if v is not None})
        synthesizer.settings = replace(synthesizer.settings, sampling=sampling, candidates=arguments.candidates)
        began = time.perf_counter()
        if part == "stage1":
            report[part] = stage1(synthesizer, lists)
        elif part == "gpt":
            report[part] = gpt(synthesizer, arguments.codes, arguments.limit)
        elif part == "speak":
            report[part] = speak(synthesizer, lists, seeds)
        elif part == "voices":
            report[part] = voices(synthesizer, lists, seeds)
        print(f"{markdown(part, report[part])}\n\n{part}: {time.perf_counter() - began:.0f} s", flush=True)
        # Apart from the figures, so that a trial cannot pass for one.
        report.setdefault("measured", {})[part] = {
            "seeds": seeds,
            "limit": arguments.limit,
            "sampling": vars(sampling),
            "candidates": arguments.candidates,
        }
        write_json(arguments.out, report)


if __name__ == "__main__":
    main()
