"""Speed of ``speak`` on an idle machine: ``python -m benchmarks.speed [MODEL]``. Medians of five after a warm-up.

Prints real-time factors split by stage, the GPT's tokens a second beside the floor that memory bandwidth sets, peak
memory and cold start, each of the last two from a fresh process.
"""

import argparse
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from triforce_tts import Synthesizer
from triforce_tts.models.layers import count_parameters
from triforce_tts.synthesis import Stopwatch

SENTENCES = {
    "short": "Good morning.",
    "long": "The birch canoe slid on the smooth planks, and the old man who had built it watched from the shore.",
}
ROUNDS = 5


def cpu_name() -> str:
    """The model of the processor, or its architecture if the system does not tell the model."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def import_seconds() -> float:
    """Wall seconds of a new process that only imports the command."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import triforce_tts.cli.app, triforce_tts.synthesis"], check=True)
    return time.perf_counter() - began


def memory_bandwidth(megabytes: int = 512) -> float:
    """The bytes a second when a large tensor is summed, the best of five tries."""
    block = torch.zeros(megabytes * 2**18)
    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        block.sum()
        best = max(best, block.numel() * 4 / (time.perf_counter() - began))
    return best


def stages(synthesizer: Synthesizer, text: str) -> tuple[dict[str, float], float, float]:
    """Median seconds of each stage, median seconds of sound, and GPT tokens a second."""
    voice = synthesizer.voice()
    synthesizer.speak(text, voice)
    rows, lengths, rates = [], [], []
    for seed in range(ROUNDS):
        synthesizer.stopwatch = Stopwatch()
        spoken = list(synthesizer.sentences(text, voice, seed))
        rows.append(dict(synthesizer.stopwatch.seconds))
        lengths.append(sum(len(s.samples) for s in spoken) / synthesizer.audio.sample_rate)
        rates.append(sum(s.codes.numel() for s in spoken) / rows[-1]["gpt"])
    medians = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    return medians, statistics.median(lengths), statistics.median(rates)


def fresh(model: list[str]) -> tuple[float, float]:
    """Wall seconds and peak MiB of one ``speak`` in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["speak", SENTENCES["short"], "--quiet", "--out", str(Path(folder) / "out.wav"), *model]
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "triforce_tts.cli.app", *words], check=True)
        took = time.perf_counter() - began
    return took, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", type=Path)
    arguments = parser.parse_args()
    model = ["--model", str(arguments.model)] if arguments.model else []
    starts = [fresh(model) for _ in range(3)]
    synthesizer = Synthesizer.load(arguments.model, "cpu")
    print(f"{cpu_name()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print("\n| sentence | sound, s | " + "stage: seconds | RTF | GPT tokens/s |\n|---|---|---|---|---|")
    for name, text in SENTENCES.items():
        seconds, sound, rate = stages(synthesizer, text)
        stage_times = ", ".join(f"{stage} {value:.3f}" for stage, value in seconds.items())
        print(f"| {name} | {sound:.2f} | {stage_times} | {sum(seconds.values()) / sound:.3f} | {rate:.0f} |")
    bandwidth = memory_bandwidth()
    read = 4 * count_parameters(synthesizer.gpt)
    print(f"\nGPT floor: {read / 1e6:.1f} MB a token at {bandwidth / 1e9:.1f} GB/s: {bandwidth / read:.0f} tokens/s")
    imports = statistics.median(import_seconds() for _ in range(3))
    start = statistics.median(seconds for seconds, _ in starts)
    print(f"cold start: {start:.1f} s, {imports:.1f} s of it imports; peak memory {starts[0][1]:.0f} MiB")


if __name__ == "__main__":
    main()
