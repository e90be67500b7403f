"""Stage 3 by itself, on held-out recordings of the default voice: what each part answers is a table.

compare    runs of stage 3 against each other and against Griffin-Lim alone, given true mels and given DVAE decodes:
           PESQ-WB, recogniser error, DNSMOS, speed; and the oracle start: how much one prediction adds, in PESQ, to a
           sound that the recording itself has carried 0.7 of the way (whether a network denoises shows there first).
             python -m benchmarks.stage3 compare --dvae runs/dvae --speech FOLDER --out stage3.json \\
               --run magnitude=runs/magnitude:1,4 --run complex=runs/complex:1,4,16
distill    a student of few steps against its teacher of many: recogniser error of both, the difference utterance by
           utterance, and how much faster the student is.
             python -m benchmarks.stage3 distill --dvae runs/dvae --speech FOLDER --out distill.json \\
               --teacher runs/diffusion:16 --student runs/distilled:2
inversion  the flow run backwards from recorded speech: is what comes out noise, or does it still hold the speech?
           Numbers beside those of fresh noise, and a picture.
             python -m benchmarks.stage3 inversion --dvae runs/dvae --speech FOLDER --out inversion.json \\
               --run runs/diffusion:32 --picture docs/images/inversion.png

A run is a folder, a colon, and in how many Euler steps it is sampled. Seeds are 0, 1, 2 unless given; the mean over
seeds counts once an utterance, intervals are bootstrap 95 % over utterances. Speed is measured on one thread.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.judges import JUDGES, Clip, judge_all, require
from benchmarks.quality import Lists
from benchmarks.stage3_noise import draw, forward, grain, structure
from triforce_tts import checkpoint
from triforce_tts.audio.edit import normalize_level
from triforce_tts.audio.io import read_audio
from triforce_tts.audio.mel import AudioConfig, envelope, mel_spectrogram
from triforce_tts.audio.phase import griffin_lim
from triforce_tts.evaluation.statistics import interval
from triforce_tts.files import write_json
from triforce_tts.models.diffusion import Diffusion
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.layers import count_parameters
from triforce_tts.models.load import load_diffusion, load_dvae
from triforce_tts.models.upsampler import Upsampler
from triforce_tts.sampling.diffusion import invert_euler, uniform_times, upsample, upsampler, utterance_noise
from triforce_tts.stages.diffusion import ORACLE_TIME

PHASE_ITERATIONS = 32  # as in the tables of the docs
GIVEN = ("true mel", "DVAE decode")


@dataclass(frozen=True)
class Utterance:
    """A held-out recording with the inputs of stage 3."""

    text: str
    samples: torch.Tensor  # [n]
    # The standardised mel for each name in GIVEN, [1, frames, n_mels].
    inputs: dict[str, torch.Tensor]
    mel: torch.Tensor  # the mel of the recording, which is also the reference
    lengths: torch.Tensor  # [1] in frames


@dataclass(frozen=True)
class Run:
    """A trained stage 3, and the numbers of steps with which it is sampled."""

    name: str
    folder: Path
    steps: tuple[int, ...]
    network: Upsampler

    @classmethod
    def load(cls, text: str, audio: AudioConfig, dvae: Path, name: str = "") -> "Run":
        """Parse ``FOLDER:STEPS`` with steps separated by commas; a run of another DVAE is refused."""
        folder, _, steps = text.rpartition(":")
        if not folder:
            raise SystemExit(f"'{text}': expected FOLDER:STEPS, such as runs/diffusion:1,4")
        path = Path(folder)
        own = checkpoint.read_lineage(path).get("dvae")
        checkpoint.require_same("DVAE", folder, own, str(dvae), checkpoint.read_lineage(dvae)["id"])
        network = load_diffusion(path, audio)
        return cls(name or path.name, path, tuple(int(n) for n in steps.split(",")), network)

    @property
    def flow(self) -> Diffusion:
        """The network, where a flow is needed."""
        if not isinstance(self.network, Diffusion):
            raise SystemExit(
                f"{self.name}: its target '{self.network.config.target}' is no flow, so it has no noise to look at"
            )
        return self.network

    def told(self) -> str:
        """A text with the parameters, steps and minutes of the training."""
        folder = checkpoint.locate(self.folder)
        lineage, count = checkpoint.read_lineage(folder), count_parameters(self.network) / 1e6
        state = folder / "trainer" / "state.json"
        minutes = f", {checkpoint.read_json(state)['seconds'] / 60:.1f} min" if state.is_file() else ""
        return f"{self.network.config.target}, {count:.2f} M parameters, {lineage.get('steps')} training steps{minutes}"


@torch.inference_mode()
def utterances(speech: Path, dvae: DVAE, audio: AudioConfig, limit: int) -> list[Utterance]:
    """The first ``limit`` of the fixed held-out list of the default voice."""
    clips = []
    for recording in Lists(speech, limit).kathleen:
        clip = read_audio(recording.audio, audio.sample_rate)
        samples = normalize_level(clip.samples, clip.sample_rate)[0]
        mel = mel_spectrogram(samples[None], audio)
        decode = dvae.decode(dvae.encode(mel))[:, : mel.shape[1]]
        inputs = dict(zip(GIVEN, (mel, decode), strict=True))
        clips.append(Utterance(recording.text, samples, inputs, mel, torch.tensor([mel.shape[1]])))
    return clips


Make = Callable[[Utterance, int], torch.Tensor]


def maker(run: Run, source: str, steps: int) -> Make:
    """Gives the samples [n] of (utterance, seed) after stage 3."""
    network = run.network

    @torch.inference_mode()
    def make(utterance: Utterance, seed: int) -> torch.Tensor:
        decode = utterance.inputs[source]
        speaker = network.reference(utterance.mel, utterance.lengths)
        state = upsample(network, decode, speaker, utterance.lengths, [seed], steps)
        return network.target.samples(state, decode, PHASE_ITERATIONS)[0, : len(utterance.samples)].clamp(-1, 1)

    return make


def oracle(run: Run, end: str) -> Make:
    """Gives the samples of (utterance, seed) at the oracle ``start``, or after one prediction: ``end``."""
    network = run.flow

    @torch.inference_mode()
    def make(utterance: Utterance, seed: int) -> torch.Tensor:
        decode, lengths, target = utterance.mel, utterance.lengths, network.target
        noise = target.noise(utterance_noise([seed], lengths.tolist(), target.width), decode, lengths)
        clean = target.clean(utterance.samples[None], decode, lengths)
        state = (1 - ORACLE_TIME) * noise + ORACLE_TIME * clean
        if end == "end":
            speaker = network.reference(utterance.mel, lengths)
            state = upsampler(network, decode, speaker, lengths)(state, torch.tensor([ORACLE_TIME]))
        return target.samples(state, decode, PHASE_ITERATIONS)[0, : len(utterance.samples)].clamp(-1, 1)

    return make


class Sheet:
    """The clips of every row; the judges get all of them at the same time."""

    def __init__(self, everyone: list[Utterance], rate: int) -> None:
        self.everyone, self.rate = everyone, rate
        self.clips: dict[str, list[Clip]] = {}
        self.seconds: dict[str, float] = {}

    def add(self, row: str, make: Make, seeds: list[int]) -> None:
        """The clips that ``make`` gives of (utterance, seed), and CPU seconds a second of sound to make them."""
        began = time.thread_time()
        clips = [(make(utterance, seed), utterance) for seed in seeds for utterance in self.everyone]
        took = time.thread_time() - began
        self.clips[row] = [Clip(samples, u.samples, u.text, self.rate) for samples, u in clips]
        self.seconds[row] = took * self.rate / sum(len(samples) for samples, _ in clips)

    def judged(self, workers: int) -> dict[str, dict[str, Any]]:
        """The mean and interval of each judge by row, and the figures by utterance for differences of rows."""
        answers = iter(judge_all([clip for clips in self.clips.values() for clip in clips], workers))
        rows = {}
        for name, clips in self.clips.items():
            own = [next(answers) for _ in clips]
            values = {judge: by_utterance([one[judge] for one in own], len(self.everyone)) for judge in JUDGES}
            figures = {judge: interval(value) for judge, value in values.items()}
            rows[name] = {**figures, "cpu_seconds_per_second": self.seconds[name], "by_utterance": values}
        return rows


def difference(one: dict[str, Any], other: dict[str, Any], judge: str) -> tuple[float, float, float]:
    """The mean and the interval of row ``one`` minus row ``other``, utterance by utterance."""
    return interval(np.subtract(one["by_utterance"][judge], other["by_utterance"][judge]).tolist())


def by_utterance(values: list[float], utterances: int) -> list[float]:
    """The mean over seeds for each utterance.

    ``values`` has all utterances of the first seed, then those of the next one.
    """
    means: list[float] = np.reshape(values, (-1, utterances)).mean(0).tolist()
    return means


def compare(
    runs: list[Run], everyone: list[Utterance], audio: AudioConfig, seeds: list[int], workers: int
) -> dict[str, Any]:
    """All rows of the comparison."""
    sheet = Sheet(everyone, audio.sample_rate)
    sheet.add("natural", lambda u, _: u.samples, seeds[:1])
    for source in GIVEN:

        def phase(u: Utterance, _: int, source: str = source) -> torch.Tensor:
            return griffin_lim(envelope(u.inputs[source], audio)[0], audio, PHASE_ITERATIONS)[: len(u.samples)]

        sheet.add(f"{source}: Griffin-Lim alone", phase, seeds[:1])
        for run in runs:
            for steps in run.steps:
                make = maker(run, source, steps)
                sheet.add(f"{source}: {run.name}, {steps} step{'s' * (steps > 1)}", make, seeds)
    flows = [run for run in runs if isinstance(run.network, Diffusion)]
    for run in flows:
        for end in ("start", "end"):
            sheet.add(f"oracle {end}: {run.name}", oracle(run, end), seeds[:1])
    rows = sheet.judged(workers)
    gains = {
        run.name: difference(rows[f"oracle end: {run.name}"], rows[f"oracle start: {run.name}"], "pesq_wb")
        for run in flows
    }
    return {"runs": {run.name: run.told() for run in runs}, "rows": rows, "oracle_gain": gains}


def print_compare(result: dict[str, Any]) -> None:
    print("\n| given: way | PESQ-WB | character error | DNSMOS | CPU s a second of sound |\n|---|---|---|---|---|")
    for name, row in result["rows"].items():
        cells = " | ".join(cell(row[judge]) for judge in JUDGES)
        print(f"| {name} | {cells} | {row['cpu_seconds_per_second']:.3f} |")
    print(f"\n| run | PESQ-WB at the oracle start, {ORACLE_TIME:g} | gain by one prediction |\n|---|---|---|")
    for name, gain in result["oracle_gain"].items():
        start = result["rows"][f"oracle start: {name}"]["pesq_wb"]
        print(f"| {name} ({result['runs'][name]}) | {cell(start)} | {cell(gain)} |")


def cell(value: tuple[float, float, float]) -> str:
    """The mean and its interval."""
    return f"{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})"


def distill(
    teacher: Run, student: Run, everyone: list[Utterance], audio: AudioConfig, seeds: list[int], workers: int
) -> dict[str, Any]:
    """The figures of both runs, the difference of their recogniser errors, and their speed.

    As in speaking, the input is DVAE decodes.
    """
    sheet, speeds = Sheet(everyone, audio.sample_rate), {}
    for role, run in (("teacher", teacher), ("student", student)):
        sheet.add(role, maker(run, GIVEN[1], run.steps[0]), seeds)
        speeds[role] = seconds_per_second(run, everyone, audio)
    rows = sheet.judged(workers)
    return {
        "runs": {"teacher": teacher.told(), "student": student.told()},
        "steps": {"teacher": teacher.steps[0], "student": student.steps[0]},
        "rows": rows,
        "difference": difference(rows["student"], rows["teacher"], "character_error"),
        "cpu_seconds_per_second": speeds,
        "speed_up": speeds["teacher"] / speeds["student"],
    }


def seconds_per_second(run: Run, everyone: list[Utterance], audio: AudioConfig) -> float:
    """The CPU seconds for each second of sound from mel to state, without the phase: the median over utterances."""
    ratios = []
    for utterance in everyone[:10]:
        with torch.inference_mode():
            speaker = run.network.reference(utterance.mel, utterance.lengths)
            began = time.thread_time()
            upsample(run.network, utterance.inputs[GIVEN[1]], speaker, utterance.lengths, [0], run.steps[0])
        ratios.append((time.thread_time() - began) * audio.sample_rate / len(utterance.samples))
    return statistics.median(ratios)


def print_distill(result: dict[str, Any]) -> None:
    print(
        "\n| network | steps | PESQ-WB | character error | DNSMOS | CPU s a second of sound |\n|---|---|---|---|---|---|"
    )
    for role, run in result["runs"].items():
        cells = " | ".join(cell(result["rows"][role][judge]) for judge in JUDGES)
        print(f"| {role} ({run}) | {result['steps'][role]} | {cells} | {result['cpu_seconds_per_second'][role]:.3f} |")
    mean, low, high = result["difference"]
    verdict = "within" if mean <= 0.01 else "not within"
    sure = "" if (high <= 0.01) == (low <= 0.01) else ", which the interval leaves open"
    print(f"\nstudent minus teacher: {cell(result['difference'])}: {verdict} one point{sure}")
    print(f"speed-up: {result['speed_up']:.2f} times")


@torch.inference_mode()
def inversion(
    run: Run, everyone: list[Utterance], source: str, picture: Path | None, audio: AudioConfig
) -> dict[str, Any]:
    """The statistics of inverted and of fresh noise, and the error of the flow from inverted noise back to speech."""
    rows: dict[str, list[dict[str, float]]] = {"inverted": [], "fresh": []}
    returns, panels = [], None
    target, steps = run.flow.target, run.steps[0]
    for seed, utterance in enumerate(everyone):
        decode, lengths = utterance.inputs[source], utterance.lengths
        predict = upsampler(run.network, decode, run.network.reference(utterance.mel, lengths), lengths)
        clean = target.clean(utterance.samples[None], decode, lengths)
        fresh = target.noise(utterance_noise([seed], lengths.tolist(), target.width), decode, lengths)
        noises = {"inverted": invert_euler(predict, clean, uniform_times(steps)), "fresh": fresh}
        white = {name: target.whiten(noise, decode, lengths)[0, :, 1:-1] for name, noise in noises.items()}
        loud = target.magnitude(clean, decode)[0, :, 1:-1].clamp_min(1e-3).log()
        for name, values in white.items():
            rows[name].append(structure(values, loud))
        again = forward(predict, noises["inverted"], steps)
        scale = target.error(fresh, clean, decode, lengths).sum()  # the distance between unrelated states
        returns.append(float(target.error(again, clean, decode, lengths).sum() / scale))
        panels = panels or {
            "recorded speech, log-magnitude": loud,
            **{f"{n} noise": grain(w) for n, w in white.items()},
        }
    if picture and panels:
        draw(panels, picture, audio)
    return {
        "run": run.told(),
        "steps": steps,
        "given": source,
        "statistics": {
            name: {key: interval([row[key] for row in figures]) for key in figures[0]} for name, figures in rows.items()
        },
        "error_after_return": interval(returns),
    }


def print_inversion(result: dict[str, Any]) -> None:
    print(f"\n{result['run']}; {result['steps']} steps, {result['given']} given")
    print("\n| | inverted from speech | fresh noise |\n|---|---|---|")
    for key, value in result["statistics"]["inverted"].items():
        print(f"| {key} | {cell(value)} | {cell(result['statistics']['fresh'][key])} |")
    print(f"\nback from the inverted noise: error {cell(result['error_after_return'])} of that of unrelated noise")


def main() -> None:
    """Measure, print the tables and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(dest="mode", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--dvae", type=Path, required=True, help="run, checkpoint or bundled folder of stage 1")
    common.add_argument("--speech", type=Path, required=True, help="folder with heldout.json")
    common.add_argument("--out", type=Path, required=True, help="JSON of all figures")
    common.add_argument("--seeds", default="0,1,2")
    common.add_argument("--limit", type=int, default=10_000, help="the first so many utterances of the list")
    common.add_argument("--workers", type=int, default=2, help="processes of the judges")
    mode = modes.add_parser("compare", parents=[common], help="runs of stage 3 against Griffin-Lim")
    mode.add_argument("--run", action="append", required=True, help="NAME=FOLDER:STEPS, STEPS such as 1,4,16")
    mode = modes.add_parser("distill", parents=[common], help="a student of few steps against its teacher")
    mode.add_argument("--teacher", required=True, help="FOLDER:STEPS")
    mode.add_argument("--student", required=True, help="FOLDER:STEPS")
    mode = modes.add_parser("inversion", parents=[common], help="the flow backwards: is it noise that comes out?")
    mode.add_argument("--run", required=True, help="FOLDER:STEPS")
    mode.add_argument("--given", choices=GIVEN, default=GIVEN[1])
    mode.add_argument("--picture", type=Path, help="PNG to write")
    arguments = parser.parse_args()
    if arguments.mode != "inversion":  # The inversion needs no judge.
        require()
    torch.set_num_threads(1)
    dvae, audio = load_dvae(arguments.dvae)
    everyone = utterances(arguments.speech, dvae, audio, arguments.limit)
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    if arguments.mode == "compare":
        named = [text.partition("=") for text in arguments.run]
        runs = [Run.load(text, audio, arguments.dvae, name) for name, _, text in named]
        result = compare(runs, everyone, audio, seeds, arguments.workers)
        print_compare(result)
    elif arguments.mode == "distill":
        teacher, student = (Run.load(text, audio, arguments.dvae) for text in (arguments.teacher, arguments.student))
        result = distill(teacher, student, everyone, audio, seeds, arguments.workers)
        print_distill(result)
    else:
        run = Run.load(arguments.run, audio, arguments.dvae)
        result = inversion(run, everyone, arguments.given, arguments.picture, audio)
        print_inversion(result)
    measured = {"utterances": len(everyone), "seeds": seeds, "torch": torch.__version__}
    write_json(arguments.out, {"mode": arguments.mode, "measured": measured, **result})


if __name__ == "__main__":
    main()
