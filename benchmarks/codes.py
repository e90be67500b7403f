"""Which integers? Quantisers, group sizes and code rates, each trained and judged alike.

For every variant: a DVAE trained for the same steps on the same crops, then what its codes keep (L1, a recogniser's
error on the decode), how they are used, and what they cost (bits a second); then a small GPT trained on the codes for
the same steps, and what it makes of them. First all DVAEs, then all GPTs, in the order given: put the promising first.

    python -m benchmarks.codes --data shards/real --data shards/flite --lessons shards/flite --out runs/codes

A variant is written quantiser:groups x levels:downsampling, such as fsq:3x8,5,5,5:4; learnt quantisers take the
product of the levels as the number of codes. Figures of a variant go to OUT/<variant>/result.json as soon as they
are there and are not measured again; a killed run goes on. Two processes may share OUT, each skips what the other has
in hand. OUT/table.md is written after every part of every variant.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.codes_gpt import study_gpt
from benchmarks.codes_study import Study, Variant, history, minutes
from benchmarks.codes_table import draw, markdown
from benchmarks.judges import character_errors
from benchmarks.quality import code_statistics
from triforce_tts.audio.mel import AudioConfig, envelope, mel_spectrogram
from triforce_tts.audio.phase import griffin_lim
from triforce_tts.errors import TriforceError
from triforce_tts.evaluation.statistics import interval
from triforce_tts.files import write_json, write_text
from triforce_tts.locks import only_writer
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.layers import count_parameters
from triforce_tts.models.load import load_dvae

VARIANTS = (
    "fsq:4x8,5,5,5:4", "fsq:3x8,5,5,5:4", "fsq:4x4,4,4,4:4", "fsq:2x8,5,5,5:4", "fsq:2x8,8,8,5,5:4", "fsq:3x8,8,8:4", "fsq:1x8,5,5,5:4",
    "fsq:4x8,6,5:4", "fsq:2x8,5,5,5:2", "fsq:4x8,5,5,5:8", "vq:2x8,8,4,4:4", "gumbel:2x8,8,4,4:4",
)  # fmt: skip
TOKENS_PER_CODE = 40  # use and perplexity are compared for this number of tokens, because both grow with it
CURVE_POINTS = 50  # points of the stored curve of use


# --- stage 1 ------------------------------------------------------------------------------------------------------


def study_dvae(study: Study, variant: Variant) -> dict[str, Any]:
    """Train the DVAE of ``variant`` and measure what its codes keep and cost."""
    run, options = study.folder(variant) / "dvae", study.options
    settings = [*variant.settings(), "run.validate_samples=40", *options.overrides]
    study.fit("dvae", options.dvae_config, run, options.dvae_steps, options.data, settings)
    network, audio = load_dvae(run)
    errors, codes = reconstruct(study, network, audio)
    codes = more_codes(study, network, audio, codes)
    share = torch.stack([count(codes[:, g], network.config.n_codes) for g in range(codes.shape[1])])
    texts = [study.heldout.meta(i)["text"] for i in study.heard()]
    decodes = list(decoded_sounds(study, network, audio))
    return {
        "parameters": count_parameters(network),
        "minutes": minutes(run),
        "l1_nats": {who: interval(values) for who, values in errors.items()},
        "most_bits_per_second": math.log2(network.config.n_codes)
        * codes.shape[1]
        * audio.frame_rate
        / variant.downsampling,
        **code_statistics(share, audio.frame_rate / variant.downsampling),
        "curve": use_curve(share),
        "history": history(run),
        "character_error": interval(character_errors(decodes, audio.sample_rate, texts, options.threads)),
    }


@torch.inference_mode()
def reconstruct(study: Study, network: DVAE, audio: AudioConfig) -> tuple[dict[str, list[float]], torch.Tensor]:
    """L1 (nats) of each held-out recording, by speaker of the recogniser's list and others; all codes [n, groups]."""
    errors: dict[str, list[float]] = {}
    codes = []
    for index in shuffled(len(study.heldout)):
        mel = mel_spectrogram(study.sound(study.heldout, index, audio.sample_rate)[None], audio)
        encoded = network.encode(mel)
        error = float((network.decode(encoded)[:, : mel.shape[1]] - mel).abs().mean()) * audio.mel_std
        own = study.heldout.speakers[index] == study.options.speaker
        errors.setdefault(study.options.speaker if own else "others", []).append(error)
        codes.append(encoded[0])
    return errors, torch.cat(codes)


@torch.inference_mode()
def more_codes(study: Study, network: DVAE, audio: AudioConfig, codes: torch.Tensor) -> torch.Tensor:
    """``codes`` [n, groups], with those of training recordings until there are TOKENS_PER_CODE, or --use-hours heard."""
    target, seconds = TOKENS_PER_CODE * network.config.n_codes, 0.0
    parts, length = [codes], len(codes)
    for index in shuffled(len(study.train)):
        if length >= target or seconds >= 3600 * study.options.use_hours:
            break
        mel = mel_spectrogram(study.sound(study.train, index, audio.sample_rate)[None], audio)
        parts.append(network.encode(mel)[0])
        length, seconds = length + len(parts[-1]), seconds + study.train.durations_s[index]
    return torch.cat(parts)[:target]


def shuffled(length: int) -> list[int]:
    """The numbers below ``length`` in a shuffled order that is always the same, so that speakers are mixed."""
    order: list[int] = torch.randperm(length, generator=torch.Generator().manual_seed(0)).tolist()
    return order


def count(codes: torch.Tensor, n_codes: int) -> torch.Tensor:
    """The number of times that each code occurs."""
    return torch.bincount(codes.flatten(), minlength=n_codes)


def use_curve(counts: torch.Tensor) -> list[float]:
    """The share of all tokens that the share x of the most used codes has, for x from 1 / CURVE_POINTS to 1.

    The mean over groups.
    """
    ranked = counts.double().sort(-1, descending=True).values
    covered = ranked.cumsum(-1) / ranked.sum(-1, keepdim=True).clamp_min(1)
    n_codes = counts.shape[-1]
    places = [max(0, round(n_codes * (i + 1) / CURVE_POINTS) - 1) for i in range(CURVE_POINTS)]
    return [round(float(covered[:, place].mean()), 5) for place in places]


@torch.inference_mode()
def decoded_sounds(study: Study, network: DVAE, audio: AudioConfig) -> Iterator[torch.Tensor]:
    """The recogniser's recordings through the codes and back, by Griffin-Lim."""
    for index in study.heard():
        sound = study.sound(study.heldout, index, audio.sample_rate)
        mel = network.decode(network.encode(mel_spectrogram(sound[None], audio)))
        yield griffin_lim(envelope(mel, audio)[0], audio)[: len(sound)]


# --- figures for comparison ---------------------------------------------------------------------------------


def study_recordings(study: Study) -> dict[str, Any]:
    """The recogniser's error on the recordings themselves, and on Griffin-Lim from their true mel: the ceiling."""
    rate = study.heldout.meta(0)["sample_rate"]
    audio = load_dvae(next(study.out.glob("*/dvae/latest")).parent)[1]
    texts = [study.heldout.meta(i)["text"] for i in study.heard()]
    natural = [study.sound(study.heldout, i, rate) for i in study.heard()]
    mels = [mel_spectrogram(study.sound(study.heldout, i, audio.sample_rate), audio) for i in study.heard()]
    inverted = [griffin_lim(envelope(mel, audio), audio) for mel in mels]
    workers = study.options.threads
    return {
        "recordings": interval(character_errors(natural, rate, texts, workers)),
        "Griffin-Lim from the true mel": interval(character_errors(inverted, audio.sample_rate, texts, workers)),
        "number": len(texts),
    }


# --- the program ---------------------------------------------------------------------------------------------------

PARTS: dict[str, Callable[[Study, Variant], dict[str, Any]]] = {"dvae": study_dvae, "gpt": study_gpt}


def read_result(path: Path) -> dict[str, Any]:
    """The figures in the file at ``path``; empty if there is no file."""
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return result


def measured(study: Study, variant: Variant, part: str) -> bool:
    """Measure ``part`` of ``variant``, unless it is done or another process works on the variant; True if it is done.

    Raises:
        SystemExit: the file has figures of other settings.
    """
    path, stated = study.folder(variant) / "result.json", study.stated()[part]
    try:
        with only_writer(study.folder(variant)):
            result = read_result(path)
            if figures := result.get(part):
                if figures["settings"] != stated:
                    raise SystemExit(f"{path}: figures of other settings ({figures['settings']}); choose another --out")
                return True
            began = time.perf_counter()
            figures = PARTS[part](study, variant)
            write_json(path, {**read_result(path), "variant": str(variant), part: {**figures, "settings": stated}})
    except TriforceError as error:
        if "another process" not in str(error):
            raise
        print(f"{variant}: {error}", flush=True)
        return False
    print(f"{variant}, {part}: {time.perf_counter() - began:.0f} s", flush=True)
    return True


def write_report(study: Study) -> None:
    """Write the table of all figures under OUT, and the pictures if the options ask for them."""
    results = [read_result(study.folder(Variant.parse(name)) / "result.json") for name in study.options.variants]
    results = [result for result in results if "dvae" in result]
    beside = read_result(study.out / "recordings.json")
    write_text(study.options.table or study.out / "table.md", markdown(results, beside, study.options.speaker))
    if study.options.pictures and results:
        draw(results, study.options.pictures, study.options.speaker)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, help="shards that the DVAEs learn from")
    parser.add_argument("--judge", type=Path, help="shards whose held-out split is measured; default: the first --data")
    parser.add_argument(
        "--lessons", type=Path, action="append", help="shards that the GPTs learn from; default: --data"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), help="default: %(default)s")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--dvae-steps", type=int, default=700, help="default: %(default)s")
    parser.add_argument("--gpt-steps", type=int, default=500, help="default: %(default)s")
    parser.add_argument("--dvae-config", default="nano", help="that the variants are changes of; default: %(default)s")
    parser.add_argument("--gpt-config", default="nano", help="default: %(default)s")
    parser.add_argument(
        "--set", action="append", default=[], dest="overrides", help="for the DVAEs: data.speaker_hours=1"
    )
    parser.add_argument("--gpt-set", action="append", default=[], dest="gpt_overrides", help="for the GPTs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="of every program that this one starts")
    parser.add_argument("--speaker", default="kathleen", help="whom the recogniser hears, told apart in L1")
    parser.add_argument("--heard", type=int, default=50, help="recordings for the recogniser; default: %(default)s")
    parser.add_argument("--spoken", type=int, default=30, help="sentences for the GPT to say; default: %(default)s")
    parser.add_argument("--validate", type=int, default=100, help="held-out clips for the GPT; default: %(default)s")
    parser.add_argument("--use-hours", type=float, default=1.5, help="most training speech to count codes in, hours")
    parser.add_argument("--lesson-hours", type=float, default=1.0, help="of each speaker; default: %(default)s")
    parser.add_argument("--longest", type=float, default=8.0, help="clip of the lessons, seconds; default: %(default)s")
    parser.add_argument("--table", type=Path, help="where to write the table; default: OUT/table.md")
    parser.add_argument("--pictures", type=Path, help="folder for code_rate.png and code_use.png, such as docs/images")
    return parser.parse_args()


def main() -> None:
    """Measure the missing figures, and write the table."""
    study = Study(parse_arguments())
    write_report(study)
    for part in study.options.parts:
        for name in study.options.variants:
            variant = Variant.parse(name)
            if part == "gpt" and "dvae" not in read_result(study.folder(variant) / "result.json"):
                continue
            done = measured(study, variant, part)
            write_report(study)
            if done and not (study.out / "recordings.json").is_file():
                write_json(study.out / "recordings.json", study_recordings(study))
                write_report(study)


if __name__ == "__main__":
    main()
