"""Do switched convolutions help a DVAE? A trained one goes on, with and without them, for equal steps and equal seconds.

    python -m benchmarks.switched_dvae --dvae triforce_tts/assets/nano/dvae --data shards/real --out runs/switched

Three runs start from the weights of ``--dvae``, on the same crops: "plain" and "switched" for --steps, and "plain, longer"
for the seconds that "switched" took. They and the DVAE as it was given are judged on the same held-out recordings: L1,
use of the codes, and the errors of a recogniser on what stage 3 makes of the decode (--diffusion), or Griffin-Lim
without one. A stage 3 that was trained on the decodes of ``--dvae`` hears all of them, so the figures of one that is
trained anew can only be better.

For each switched layer OUT/report.json says how evenly its kernels are used, and how much a kernel tells of the phone that
is spoken: their mutual information over the entropy of the phones, beside what it is where the kernels are shifted by half
of the recording, which is chance. Phones need shards with alignments. OUT/selections.png shows the kernels over the
spectrogram. A killed comparison goes on where it stopped.
"""

import argparse
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks.codes_study import minutes
from benchmarks.judges import recogniser_name, transcripts
from benchmarks.train import table
from triforce_tts.audio.io import decode_audio
from triforce_tts.audio.mel import AudioConfig, envelope, log_mel_nats, mel_spectrogram
from triforce_tts.audio.phase import griffin_lim
from triforce_tts.checkpoint import locate, read_lineage
from triforce_tts.evaluation.report import Figure
from triforce_tts.evaluation.statistics import interval, ratio
from triforce_tts.files import write_json, write_text
from triforce_tts.judges.words import character_edits, word_edits
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.layers import count_parameters
from triforce_tts.models.load import load_diffusion, load_dvae
from triforce_tts.models.switched_conv import selections
from triforce_tts.models.upsampler import Upsampler
from triforce_tts.samples import Described
from triforce_tts.sampling.diffusion import upsample
from triforce_tts.shards import ShardSet
from triforce_tts.stages.dvae import measure
from triforce_tts.stages.trainer.preview import Preview, draw_preview
from triforce_tts.text.normalize import normalize
from triforce_tts.text.tokenizer import TextTokenizer

PHASE_ITERATIONS = 32  # as in the tables of the docs
SILENCE = "(silence)"


# --- training ---------------------------------------------------------------------------------------------------------


def train(options: argparse.Namespace, run: Path, config: str, budget: Sequence[str]) -> None:
    """Train a DVAE that starts from ``--dvae``, in a separate process; a finished run ends at once."""
    every = max(1, math.ceil(options.steps / 4))
    settings = [
        f"run.init_from={options.dvae}", *budget, f"run.seed={options.seed}", f"run.threads={options.threads}",
        "run.precision=fp32", "run.workers=0", "run.preview_every=0", "run.keep=1", f"run.validate_every={every}",
        f"run.save_every={every}", f"run.learning_rate={options.learning_rate}", *options.overrides,
    ]  # fmt: skip
    words = ["train", "dvae", "--config", config, "--run", str(run)]
    words += [word for folder in options.data for word in ("--data", str(folder))]
    words += [word for setting in settings for word in ("--set", setting)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    subprocess.run([sys.executable, "-m", "triforce_tts.cli.app", *words], check=True, env=environment)


def trained(options: argparse.Namespace) -> dict[str, Path]:
    """The checkpoints to compare by name, the one they started from first."""
    runs = {"as it was": options.dvae}
    steps = [f"run.steps={options.steps}", "run.minutes=0"]
    for name, config, budget in (("plain", options.plain, steps), ("switched", options.config, steps)):
        runs[name] = options.out / name
        train(options, runs[name], config, budget)
    runs["plain, longer"] = options.out / "plain-longer"
    train(
        options, runs["plain, longer"], options.plain, [f"run.minutes={minutes(runs['switched']):.3f}", "run.steps=0"]
    )
    return runs


# --- judging ----------------------------------------------------------------------------------------------------------


@torch.inference_mode()
def resynthesized(
    dvae: DVAE, audio: AudioConfig, sound: torch.Tensor, stage3: Upsampler | None, steps: int
) -> torch.Tensor:
    """``sound`` [n] after the way through the codes and back, by stage 3 if there is one."""
    mel = mel_spectrogram(sound[None], audio)
    decode = dvae.decode(dvae.encode(mel))[:, : mel.shape[1]]
    if stage3 is None:
        return griffin_lim(envelope(decode, audio)[0], audio, PHASE_ITERATIONS)[: len(sound)]
    lengths = torch.tensor([mel.shape[1]])
    state = upsample(stage3, decode, stage3.reference(mel, lengths), lengths, [0], steps)
    return stage3.target.samples(state, decode, PHASE_ITERATIONS)[0, : len(sound)].clamp(-1, 1)


def sounds(heldout: ShardSet, count: int, rate: int) -> list[tuple[torch.Tensor, str]]:
    """The first ``count`` held-out recordings and their texts."""
    return [
        (decode_audio(heldout.payload(i), heldout.keys[i], rate).samples, heldout.meta(i)["text"])
        for i in range(min(count, len(heldout)))
    ]


def heard_errors(heard: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
    """Characters and words that are heard wrongly, with their intervals over recordings."""
    characters = [character_edits(text, words).error for text, words in zip(texts, heard, strict=True)]
    edits = [word_edits(text, words) for text, words in zip(texts, heard, strict=True)]
    wrong = ratio([[Figure(amount=edit.wrong, weight=edit.total)] for edit in edits])
    return {"character_error": interval(characters), "word_error": (wrong.value, wrong.low, wrong.high)}


def figures(options: argparse.Namespace, path: Path, heldout: ShardSet) -> dict[str, Any]:
    """The figures by which one DVAE is judged."""
    dvae, audio = load_dvae(path)
    stage3 = load_diffusion(options.diffusion, audio) if options.diffusion else None
    results = {
        "steps": read_lineage(path).get("steps"),
        "minutes": round(minutes(path), 2) if (locate(path) / "trainer").is_dir() else None,
        "parameters": count_parameters(dvae),
        **measure(dvae, audio, heldout, torch.device("cpu"), options.validated),
    }
    if options.heard:
        heard = sounds(heldout, options.heard, audio.sample_rate)
        clips = [resynthesized(dvae, audio, sound, stage3, options.diffusion_steps) for sound, _ in heard]
        results |= heard_errors(transcripts(clips, audio.sample_rate, options.threads), [text for _, text in heard])
    return results


# --- what the kernels do ------------------------------------------------------------------------------------------------


@dataclass
class Usage:
    """The counts of each kernel of a layer with each phone, and with the phone half a recording later."""

    together: dict[tuple[int, str], int] = field(default_factory=dict)
    shifted: dict[tuple[int, str], int] = field(default_factory=dict)

    def add(self, kernels: Sequence[int], phones: Sequence[str]) -> None:
        half = len(phones) // 2
        for counts, others in ((self.together, phones), (self.shifted, [*phones[half:], *phones[:half]])):
            for pair in zip(kernels, others, strict=True):
                counts[pair] = counts.get(pair, 0) + 1


def entropy(counts: Sequence[int]) -> float:
    """The entropy in nats."""
    total = sum(counts)
    return -sum(count / total * math.log(count / total) for count in counts if count)


def information(counts: dict[tuple[int, str], int]) -> float:
    """The share of the entropy of the phones that the kernel tells."""
    sides: list[dict[Any, int]] = [{}, {}]
    for pair, count in counts.items():
        for side, value in zip(sides, pair, strict=True):
            side[value] = side.get(value, 0) + count
    kernels, phones, both = (entropy(list(table.values())) for table in (*sides, counts))
    return (kernels + phones - both) / phones if phones else 0.0


def phones_of(sample: Described, tokenizer: TextTokenizer, places: int, seconds: float) -> list[str] | None:
    """The phone that is spoken at each of ``places`` of a recording; None without an alignment that fits."""
    if sample.alignment is None:
        return None
    words = [piece.symbols for piece in tokenizer.spell(sample.normalized or normalize(sample.text)) if piece.is_word]
    phones = [SILENCE] * places
    for symbols, times in zip(words, sample.alignment, strict=False):
        if len(times) != len(symbols) + 1:
            continue
        for symbol, start, end in zip(symbols, times[:-1], times[1:], strict=True):
            for place in range(round(start / seconds * places), min(places, round(end / seconds * places))):
                phones[place] = symbol
    return phones


@torch.inference_mode()
def kernels(options: argparse.Namespace, path: Path, heldout: ShardSet) -> dict[str, Any]:
    """For each switched layer, the perplexity of its kernels, and the information that they give about the phone."""
    dvae, audio = load_dvae(path)
    tokenizer, usage = TextTokenizer(), {name: Usage() for name in dvae.switched}
    counts = {name: torch.zeros(0, dtype=torch.long) for name in dvae.switched}
    for index, (sound, _) in enumerate(sounds(heldout, options.validated, audio.sample_rate)):
        with selections(dvae) as chosen:
            dvae.decode(dvae.encode(mel_spectrogram(sound[None], audio)))
        for name, selected in chosen.items():
            own = torch.bincount(selected[0], minlength=max(len(counts[name]), int(selected.max()) + 1))
            own[: len(counts[name])] += counts[name]
            counts[name] = own
            frames = selected.shape[1]
            phones = phones_of(
                Described.model_validate(heldout.meta(index)), tokenizer, frames, len(sound) / audio.sample_rate
            )
            if phones is not None:
                usage[name].add(selected[0].tolist(), phones)
    return {
        name: {
            "perplexity": round(math.exp(entropy(counts[name].tolist())), 2),
            "used": int((counts[name] > 0).sum()),
            "phone": round(information(usage[name].together), 3) if usage[name].together else None,
            "phone, by chance": round(information(usage[name].shifted), 3) if usage[name].shifted else None,
        }
        for name in dvae.switched
    }


@torch.inference_mode()
def draw(path: Path, heldout: ShardSet, index: int, target: Path) -> None:
    """The kernels of each switched layer over the spectrogram of a held-out recording."""
    dvae, audio = load_dvae(path)
    sound = decode_audio(heldout.payload(index), heldout.keys[index], audio.sample_rate).samples
    mel = mel_spectrogram(sound[None], audio)
    with selections(dvae) as chosen:
        decoded = dvae.decode(dvae.encode(mel))[:, : mel.shape[1]]
    pictures = {"recorded": log_mel_nats(mel[0], audio), "decoded": log_mel_nats(decoded[0], audio)}
    target.write_bytes(
        draw_preview(Preview(heldout.keys[index], pictures, {}, 0, {k: v[0] for k, v in chosen.items()}))
    )


def rounded(value: Any) -> Any:
    """A cell of the table."""
    if isinstance(value, tuple):
        return f"{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})"
    return round(value, 4) if isinstance(value, float) else value


def main() -> None:
    """Train, judge, and write OUT/report.json, OUT/table.md and OUT/selections.png."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--dvae", type=Path, required=True, help="the trained DVAE: a run, checkpoint or bundled folder"
    )
    parser.add_argument("--data", type=Path, action="append", required=True, help="shards; may be given several times")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", default="nano-switched", help="of the switched DVAE")
    parser.add_argument("--plain", default="nano", help="of the plain DVAE: the same but for model.switched")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--learning-rate", type=float, default=5e-4, help="of all runs")
    parser.add_argument("--diffusion", type=Path, help="stage 3 that makes the sound; Griffin-Lim without it")
    parser.add_argument("--diffusion-steps", type=int, default=4)
    parser.add_argument("--validated", type=int, default=128, help="held-out recordings for L1 and the kernels")
    parser.add_argument("--heard", type=int, default=60, help="held-out recordings for the recogniser; 0: none")
    parser.add_argument("--picture", type=int, default=0, help="number of the held-out recording that is drawn")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--set", dest="overrides", action="append", default=[], help="a setting of all runs")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    heldout = ShardSet.open(options.data[:1], "heldout", "audio")
    if not len(heldout):
        raise SystemExit(f"--data {options.data[0]}: it holds no recording out, by which the runs could be judged")
    runs = trained(options)
    rows = {name: figures(options, path, heldout) for name, path in runs.items()}
    report = {"dvae": rows, "kernels": kernels(options, runs["switched"], heldout)}
    if options.heard:
        report["recogniser"] = recogniser_name()
    write_json(options.out / "report.json", report)
    lines = table([{"run": name, **{key: rounded(value) for key, value in row.items()}} for name, row in rows.items()])
    layers = table([{"layer": name, **row} for name, row in report["kernels"].items()])
    write_text(options.out / "table.md", f"{lines}\n\n{layers}\n")
    draw(runs["switched"], heldout, options.picture, options.out / "selections.png")
    print(f"{lines}\n\n{layers}")


if __name__ == "__main__":
    main()
