"""The picture and the sounds of the README: ``python -m benchmarks.pictures MODEL MANIFEST --ids a,b,c --before OLD``.

Each sentence is heard as recorded, through the codes and back, spoken from text, and spoken by an earlier model. The
picture shows the first one. With ``--clones`` the first sentence is also spoken in the voices of clips.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import matplotlib
import torch

from triforce_tts import Audio, Synthesizer
from triforce_tts.audio.edit import normalize_level
from triforce_tts.audio.io import read_audio
from triforce_tts.audio.mel import log_mel_nats, mel_spectrogram


def recorded(model: Synthesizer, clip: Path, about: str) -> Audio:
    """The recording ``clip``, which ``about`` describes, at the rate and the level of the model."""
    rate = model.audio.sample_rate
    return Audio(normalize_level(read_audio(clip, rate).samples, rate)[0], rate, {"comment": about})


def sounds(model: Synthesizer, before: Synthesizer, clip: Path, text: str) -> dict[str, Audio]:
    """The sounds of one sentence for the README, by the names of their files."""
    return {
        "recorded": recorded(model, clip, "a recording of the teacher, a synthetic voice"),
        "resynthesized": model.resynthesize(clip),
        "spoken": model.speak(text),
        "before": before.speak(text),
    }


def clone(model: Synthesizer, number: int, clip: Path, about: str, text: str, folder: Path) -> None:
    """Write the clip of a voice, which ``about`` describes, and ``text`` in this voice."""
    recorded(model, clip, about).save(folder / f"voice-{number}.mp3")
    model.speak(text, voice=clip).save(folder / f"voice-{number}-spoken.mp3")


def draw(rows: dict[str, torch.Tensor], model: Synthesizer, path: Path) -> None:
    """A picture of the mel spectrograms of ``rows``, samples [n] by title."""
    audio = model.audio
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
    figure.savefig(path, dpi=64, pil_kwargs={"optimize": True})


def main() -> None:
    """Write the picture docs/images/mels.png and the sounds docs/audio/*.mp3."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("manifest", type=Path, help="manifest.jsonl of held-out recordings")
    parser.add_argument("--ids", required=True, help="of the recordings, separated by commas")
    parser.add_argument("--before", type=Path, required=True, help="an earlier model")
    parser.add_argument(
        "--clones", nargs="*", default=[], metavar="CLIP=ABOUT", help="clips of voices, and whose they are"
    )
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    model, before = (Synthesizer.load(folder, "cpu") for folder in (arguments.model, arguments.before))
    rows = {row["id"]: row for row in map(json.loads, arguments.manifest.read_text(encoding="utf-8").splitlines())}
    for number, name in enumerate(arguments.ids.split(","), 1):
        clip, text = arguments.manifest.parent / rows[name]["audio"], rows[name]["text"]
        heard = sounds(model, before, clip, text)
        for what, sound in heard.items():
            sound.save(arguments.docs / f"audio/{number}-{what}.mp3")
        if number == 1:
            usual = model.settings
            model.settings = replace(usual, diffusion_steps=0)
            bare = model.resynthesize(clip)
            model.settings = usual
            titles = {
                "as recorded": heard["recorded"].samples,
                "DVAE decode": bare.samples,
                "after stage 3": heard["resynthesized"].samples,
                "spoken from text": heard["spoken"].samples,
            }
            draw(titles, model, arguments.docs / "images/mels.png")
            for place, given in enumerate(arguments.clones, 1):
                path, _, about = given.partition("=")
                clone(model, place, Path(path), about, text, arguments.docs / "audio")
        print(f"{number}: {text}")


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
