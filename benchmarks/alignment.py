"""Two alignments of the same speech: the times in a corpus beside those of the builder's aligner, and a picture.

    python -m benchmarks.alignment SHARDS --samples 200 --out alignment.json --picture docs/images/alignment.png

SHARDS is a corpus whose times are known exactly, such as the teacher's lessons. The picture shows one sample: its phones by
the corpus above and by the aligner below, over the spectrogram.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import matplotlib
from matplotlib.axes import Axes

from triforce_tts.audio.io import Audio, decode_audio
from triforce_tts.audio.mel import AudioConfig, log_mel_nats, mel_spectrogram
from triforce_tts.files import write_json
from triforce_tts.judges.align import aligner
from triforce_tts.progress import track
from triforce_tts.samples import Described
from triforce_tts.shards import ShardSet
from triforce_tts.text.normalize import normalize
from triforce_tts.text.tokenizer import TextTokenizer

Words = Sequence[Sequence[float]]  # the start of each word and the ends of its symbols, in seconds


@dataclass(frozen=True)
class Aligned:
    """A sample with both alignments."""

    audio: Audio
    symbols: list[tuple[str, ...]]  # the symbols of each word
    corpus: Words  # the alignment in the corpus
    aligned: Words  # the alignment that the aligner found


def align(shards: ShardSet, index: int, tokenizer: TextTokenizer) -> Aligned | None:
    """Sample ``index`` with both alignments; None if it lacks one of them."""
    sample = Described.model_validate(shards.meta(index))
    audio = decode_audio(shards.payload(index), shards.keys[index])
    times = aligner()(audio, sample.text)
    if sample.alignment is None or times is None:
        return None
    symbols = [piece.symbols for piece in tokenizer.spell(normalize(sample.text)) if piece.is_word]
    return Aligned(audio, symbols, sample.alignment, times)


def differences(sample: Aligned) -> dict[str, list[float]]:
    """How far the aligner's times lie behind the known ones, in seconds: starts and ends of words, ends of phones."""
    pairs = list(zip(sample.corpus, sample.aligned, strict=True))
    return {
        "starts of words": [guess[0] - truth[0] for truth, guess in pairs],
        "ends of words": [guess[-1] - truth[-1] for truth, guess in pairs],
        "ends of phones": [
            later - time
            for truth, guess in pairs
            if len(truth) == len(guess)
            for time, later in zip(truth[1:], guess[1:], strict=True)
        ],
    }


def summary(values: Sequence[float]) -> dict[str, float]:
    """The median, and the median and 90 % quantile without the sign, in milliseconds; and the number of values."""
    sizes = [abs(value) for value in values]
    return {
        "count": len(values),
        "median_ms": round(1000 * median(values), 1),
        "median_size_ms": round(1000 * median(sizes), 1),
        "p90_size_ms": round(1000 * quantiles(sizes, n=10)[-1], 1),
    }


def draw(sample: Aligned, file: Path) -> None:
    """The phones of ``sample`` by both alignments, over its mel spectrogram."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    rate = sample.audio.sample_rate
    config = AudioConfig(sample_rate=rate, n_fft=1024, hop_length=128, n_mels=80)
    mel = log_mel_nats(mel_spectrogram(sample.audio.samples, config), config)
    figure, axis = pyplot.subplots(figsize=(12, 4.5), layout="constrained")
    axis.imshow(mel.T, origin="lower", aspect="auto", extent=(0, sample.audio.duration_s, 0, 80), vmin=-9, vmax=1)
    axis.axhline(40, color="white", linewidth=0.8)
    _mark(axis, sample.symbols, sample.corpus, 40, 80)
    _mark(axis, sample.symbols, sample.aligned, 0, 40)
    axis.set(xlabel="seconds", yticks=[20, 60], yticklabels=["aligner", "teacher"])
    axis.set_title("Phones of a lesson: the teacher's own times, and those that the aligner finds")
    figure.savefig(file, dpi=80, pil_kwargs={"optimize": True})


def _mark(axis: Axes, symbols: Sequence[tuple[str, ...]], words: Words, bottom: float, top: float) -> None:
    """Draw lines at the ends of phones, with their names, between the heights ``bottom`` and ``top``."""
    for names, word in zip(symbols, words, strict=True):
        axis.vlines(word, bottom, top, color="white", linewidth=0.7)
        axis.vlines(word[0], bottom, top, color="red", linewidth=0.9)
        if len(word) != len(names) + 1:
            continue
        for name, start, end in zip(names, word[:-1], word[1:], strict=True):
            axis.text((start + end) / 2, top - 4, name, color="white", fontsize=6, ha="center", va="top", rotation=90)


def main() -> None:
    """Compare, print the table, and write the files that the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", type=Path)
    parser.add_argument("--split", default="train")
    parser.add_argument("--samples", type=int, default=200, help="so many samples, taken evenly")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--picture", type=Path, help="of the first sample")
    arguments = parser.parse_args()
    shards = ShardSet.open([arguments.shards], arguments.split, "audio")
    tokenizer = TextTokenizer()
    chosen = range(0, len(shards), max(1, len(shards) // arguments.samples))[: arguments.samples]
    samples = [align(shards, index, tokenizer) for index in track(chosen, "align", len(chosen))]
    aligned = [sample for sample in samples if sample is not None]
    values: dict[str, list[float]] = {}
    for sample in aligned:
        for name, seconds in differences(sample).items():
            values.setdefault(name, []).extend(seconds)
    report = {"samples": len(samples), "aligned": len(aligned), **{name: summary(v) for name, v in values.items()}}
    write_json(arguments.out, report)
    print(f"{len(aligned)} of {len(samples)} samples were aligned")
    for name, seconds in values.items():
        print(name, summary(seconds))
    if arguments.picture:
        draw(aligned[0], arguments.picture)


if __name__ == "__main__":
    main()
