"""The pictures and sounds of the documentation: ``python -m benchmarks.pictures MODEL CLIP TEXT``."""

import argparse
from dataclasses import replace
from pathlib import Path

import matplotlib
import torch

from triforce_tts import Audio, Synthesizer
from triforce_tts.audio.edit import normalize_level
from triforce_tts.audio.io import read_audio
from triforce_tts.audio.mel import log_mel_nats, mel_spectrogram


def main() -> None:
    """Write docs/images/mels.png and docs/audio/*.mp3."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("clip", type=Path, help="held-out recording")
    parser.add_argument("text", help="what is said in it")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    synthesizer = Synthesizer.load(arguments.model, "cpu")
    audio = synthesizer.audio
    natural = normalize_level(read_audio(arguments.clip, audio.sample_rate).samples, audio.sample_rate)[0]
    resynthesized = synthesizer.resynthesize(arguments.clip)
    spoken = synthesizer.speak(arguments.text)
    usual = synthesizer.settings
    synthesizer.settings = replace(usual, diffusion_steps=0)
    bare = synthesizer.resynthesize(arguments.clip)
    synthesizer.settings = usual

    Audio(natural, audio.sample_rate, {"comment": "recording of a human voice"}).save(
        arguments.docs / "audio/natural.mp3"
    )
    resynthesized.save(arguments.docs / "audio/resynthesized.mp3")
    spoken.save(arguments.docs / "audio/spoken.mp3")

    rows = {
        "as recorded": natural,
        "DVAE decode": bare.samples,
        "after the diffusion stage": resynthesized.samples,
        "spoken from text": spoken.samples,
    }
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(len(rows), 1, figsize=(9, 8), layout="constrained")
    longest = max(len(samples) for samples in rows.values()) / audio.sample_rate
    for axis, (name, samples) in zip(axes, rows.items(), strict=True):
        mel = log_mel_nats(mel_spectrogram(samples, audio), audio)
        seconds = len(samples) / audio.sample_rate
        axis.imshow(mel.T, origin="lower", aspect="auto", extent=(0, seconds, 0, audio.n_mels), vmin=-9, vmax=1)
        axis.set(title=name, ylabel="mel band", xlim=(0, longest))
    axes[-1].set_xlabel("seconds")
    figure.savefig(arguments.docs / "images/mels.png", dpi=64, pil_kwargs={"optimize": True})


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
