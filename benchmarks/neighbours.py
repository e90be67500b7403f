"""What near code embeddings share: ``python -m benchmarks.neighbours DVAE... --data SHARDS --out FILE``.

The soft nearest-neighbour loss (``stages/neighbours.py``) over frames of held-out clips, by speaker and by phone, of one
or several DVAEs: nats, each beside the loss of labels in a random order. ``gain`` is the difference of the two: how much
the near frames of other clips tell of a frame's label. Beside the codes stands the mel itself (the mean of the frames
that a code stands for), so that it is seen what the codes add and hide.

``--picture`` draws the frames of the first DVAE in the two directions in which they differ most, coloured by kind of phone
and by speaker.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from triforce_tts.audio.io import decode_audio
from triforce_tts.audio.mel import AudioConfig, mel_spectrogram
from triforce_tts.drawing import blank_figure, save_figure
from triforce_tts.files import write_json
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.load import load_dvae
from triforce_tts.shards import ShardSet
from triforce_tts.stages.neighbours import NO_LABEL, Frames, embed_frames, neighbour_figures

KINDS = {
    "vowels": "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW",
    "fricatives": "F V TH DH S Z SH ZH HH CH JH",
    "stops": "P B T D K G",
    "nasals and liquids": "M N NG L R W Y",
}


def mel_frames(network: DVAE, audio: AudioConfig, shards: ShardSet, frames: Frames) -> Frames:
    """The same frames and labels with the mean mel of each code frame in place of its embedding."""
    step = network.config.downsampling
    parts = []
    for index in frames.clips.unique().tolist():
        sound = decode_audio(shards.payload(index), shards.keys[index], audio.sample_rate).samples
        mel = mel_spectrogram(sound[None], audio)[0]
        parts += [part.mean(0) for part in mel.split(step)]
    return replace(frames, vectors=torch.stack(parts))


def with_gains(figures: dict[str, float]) -> dict[str, float]:
    """The figures without their prefix, and the distance of each loss below chance."""
    short = {name.removeprefix("neighbour_"): value for name, value in figures.items()}
    return short | {f"{name}_gain": short[f"{name}_chance"] - short[name] for name in ("speaker", "phone")}


def draw(frames: Frames, phones: Sequence[str], speakers: Sequence[str], path: Path, most: int = 3000) -> None:
    """The frames in their two principal directions, by kind of phone and by speaker."""
    frames = frames.select(frames.phones != NO_LABEL)
    frames = frames.select(torch.randperm(len(frames.clips), generator=torch.Generator().manual_seed(0))[:most])
    centred = frames.vectors - frames.vectors.mean(0)
    places = (centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:2].T).numpy()
    kind_of = {phone: kind for kind, names in KINDS.items() for phone in names.split()}
    labels = {
        "by kind of phone": [kind_of.get(phones[number], "letters") for number in frames.phones.tolist()],
        "by speaker": [speakers[number] for number in frames.speakers.tolist()],
    }
    figure = blank_figure(10.0, 5.0)
    for axes, (title, names) in zip(figure.subplots(1, 2), labels.items(), strict=True):
        for name in sorted(set(names), key=lambda name: -names.count(name))[:10]:
            chosen = [place for place, own in enumerate(names) if own == name]
            axes.scatter(*places[chosen].T, s=3, alpha=0.5, label=name)
        axes.set(title=title, xticks=[], yticks=[])
        axes.legend(fontsize=7, markerscale=3)
    save_figure(figure, path, 80)


def main() -> None:
    """Measure, print, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dvae", type=Path, nargs="+", help="checkpoints or runs of stage 1")
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="aligned shards of audio, with held-out ones"
    )
    parser.add_argument("--samples", type=int, default=200, help="held-out clips; default: %(default)s")
    parser.add_argument("--frames", type=int, default=5000, help="of these clips; default: %(default)s")
    parser.add_argument("--picture", type=Path, help="PNG to draw")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    arguments = parser.parse_args()
    shards = ShardSet.open(arguments.data, "heldout", "audio")
    report: dict[str, Any] = {}
    for place, folder in enumerate(arguments.dvae):
        network, audio = load_dvae(folder)
        frames, phones = embed_frames(network, audio, shards, torch.device("cpu"), arguments.samples)
        if not place:
            mels = mel_frames(network, audio, shards, frames)
            report["mel"] = with_gains(neighbour_figures(mels, arguments.frames))
            if arguments.picture:
                draw(frames, phones, list(dict.fromkeys(shards.speakers[: arguments.samples])), arguments.picture)
        report[str(folder)] = with_gains(neighbour_figures(frames, arguments.frames))
    write_json(arguments.out, report)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
