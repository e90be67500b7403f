"""The whole chain at the size ``tiny``: corpus, shards, three stages, bundle, speak, listen. ``make smoke`` runs it.

The corpus comes from the generator inside the library, so that no outside program is needed. The GPT must overfit
its eight utterances and find codes likelier given the right text than given another one's.
"""

import shlex
import sys
import tempfile
import time
from pathlib import Path

import torch

from tests import forks
from triforce_tts import Synthesizer, schema
from triforce_tts.models.load import load_gpt
from triforce_tts.stages import gpt as gpt_stage

TEXTS = ("a cat sat", "the dog ran", "red sun up", "big old hat", "one two three", "four five", "six seven", "my tea")
# Fewer steps than the configurations have: the GPT must overfit, the other two need only work.
DVAE_STEPS, GPT_STEPS, DIFFUSION_STEPS = 80, 180, 40


def run(*arguments: str | Path) -> None:
    """Run one ``triforce-tts`` command in a separate process, and show its errors."""
    words = [str(argument) for argument in arguments]
    began = time.perf_counter()
    code = forks.Program([*forks.CLI, *words], stdout=sys.stdout, stderr=sys.stderr).wait()
    if code:
        sys.exit(f"smoke: 'triforce-tts {shlex.join(words)}' ended with exit code {code}")
    print(f"{time.perf_counter() - began:6.1f} s  triforce-tts {' '.join(words[:2])}", flush=True)


def train(folder: Path) -> Path:
    """Run every step from texts to a model folder with the commands that a user types."""
    (folder / "texts.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    shards, codes, model = folder / "shards", folder / "codes", folder / "model"
    run("build", "--synthetic", folder / "texts.txt", "--engine", "babble", "--voices", "low", "--sample-rate", "8000",
        "--out", shards)  # fmt: skip
    run("train", "dvae", "--config", "tiny", "--data", shards, "--run", folder / "dvae",
        "--set", f"run.steps={DVAE_STEPS}")  # fmt: skip
    run("codes", "--dvae", folder / "dvae", "--data", shards, "--out", codes)
    run("train", "gpt", "--config", "tiny", "--data", codes, "--run", folder / "gpt",
        "--set", f"run.steps={GPT_STEPS}", "--set", "run.validate_every=0", "--set", "data.letters_share=0.0")  # fmt: skip
    run("train", "diffusion", "--config", "tiny", "--data", shards, "--dvae", folder / "dvae", "--run",
        folder / "diffusion", "--set", f"run.steps={DIFFUSION_STEPS}")  # fmt: skip
    from triforce_tts.data.labelled import babble

    babble.speak("the voice of the tiny model speaks here", "low").save(folder / "voice.wav")
    run("bundle", "--dvae", folder / "dvae", "--gpt", folder / "gpt", "--diffusion", folder / "diffusion",
        "--voice", folder / "voice.wav", "--out", model, "--name", "smoke")  # fmt: skip
    return model


def right_and_wrong_text(folder: Path) -> tuple[float, float]:
    """The nats for each code of the trained utterances, given their own text and given the text of another one."""
    settings = schema.load(gpt_stage.GPTSettings, "gpt", "tiny", ["data.letters_share=0.0"])
    task = gpt_stage.build(settings, [folder / "codes"])
    task.heldout = task.train
    network, _ = load_gpt(folder / "gpt")
    means = []
    for shuffle in (False, True):
        losses = gpt_stage.speech_losses(task, network, len(task.train), shuffle)
        means.append(sum(total for total, _ in losses) / sum(count for _, count in losses))
    return means[0], means[1]


def main() -> None:
    """Run the chain and print its figures; the exit code is 1 if they are not good enough."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = train(folder)
        right, wrong = right_and_wrong_text(folder)
        print(f"codes given the right text {right:.3f} nats, given another's {wrong:.3f} nats")
        run("speak", TEXTS[0], "--model", model, "--out", folder / "speech.wav", "--quiet")
        synthesizer = Synthesizer.load(model)
        audio = synthesizer.speak(TEXTS[0])
        heard = synthesizer.listen(audio)
        print(f"spoke {audio.duration_s:.2f} s of {TEXTS[0]!r}, peak {audio.samples.abs().max():.2f}; heard {heard!r}")
        if not (right < 0.5 * wrong and audio.duration_s > 0.2 and torch.isfinite(audio.samples).all()):
            sys.exit("smoke: the chain did not learn its eight utterances")
    print(f"smoke: passed in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
