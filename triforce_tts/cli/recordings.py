"""The commands that take a recording: ``resynthesize``, ``listen`` and ``score``."""

from pathlib import Path
from typing import Annotated

import typer

from triforce_tts.cli.options import Device, Model, Quiet, Seed, Steps, Threads
from triforce_tts.cli.preparing import ModelOptions, require_outside, require_target


def resynthesize(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Recording to send through the codes.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("resynthesized.wav"),
    skip_diffusion: Annotated[
        bool, typer.Option("--skip-diffusion", help="The bare DVAE decode, without stage 3.")
    ] = False,
    model: Model = None,
    seed: Seed = 0,
    steps: Steps = None,
    device: Device = "auto",
    threads: Threads = 0,
    quiet: Quiet = False,
) -> None:
    """Send a recording through stages 1 and 3 alone: what the codes can carry."""
    require_target(out, (source, model), model)
    options = ModelOptions(model, threads, steps=0 if skip_diffusion else steps, seed=seed)
    synthesizer = options.open(device)
    audio = synthesizer.resynthesize(source, seed)
    audio.save(out)
    if not quiet:
        typer.echo(f"{out}: {audio.duration_s:.1f} s", err=True)


def listen(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Recording of one sentence.")],
    model: Model = None,
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Print what the GPT hears in a recording (the flip: the same network, run the other way).

    The bundled model is too small for it: what it hears is hardly ever what was said.
    """
    typer.echo(ModelOptions(model, threads).open(device).listen(source))


def score(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Recording of one sentence.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What it should say.")],
    voice: Annotated[Path | None, typer.Option(help="Another clip by the speaker; default: the model's voice.")] = None,
    tokens: Annotated[bool, typer.Option("--tokens", help="Also every token: direction, place, letter, nats.")] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Also draw the bits of every letter and frame of codes.")
    ] = None,
    model: Model = None,
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Print how likely the GPT finds that a recording says a text, in both directions (log-probabilities in nats).

    'flip' is the mean of log P(text | speech) - log P(text), a letter: higher is better, below 0 the text is not heard.
    The bundled model is too small to judge by it.
    """
    if plot is not None:
        from triforce_tts.drawing import require_png  # This import stands here, because it loads torch.

        require_png("--plot", plot, [path for path in (source, voice, model) if path is not None])
        require_outside(plot, model)
    synthesizer = ModelOptions(model, threads).open(device)
    scores = synthesizer.score(source, text, voice)
    typer.echo(f"flip\t{scores.flip:.4f}")
    typer.echo(f"speech given text, a code\t{-scores.nats_per_code:.4f}")
    typer.echo(f"text given speech, a letter\t{float(scores.text_given_speech.mean()):.4f}")
    typer.echo(f"text alone, a letter\t{float(scores.text_alone.mean()):.4f}")
    if tokens:
        for place, nats in enumerate(scores.speech_given_text.tolist()):
            typer.echo(f"speech\t{place}\t\t{nats:.4f}")
        pairs = zip(scores.text_given_speech.tolist(), scores.text_alone.tolist(), strict=True)
        for place, (with_speech, alone) in enumerate(pairs):
            typer.echo(f"text\t{place}\t{(*scores.letters, '<end>')[place]}\t{with_speech:.4f}\t{alone:.4f}")
    if plot is not None:
        from triforce_tts.surprise import draw_surprise

        draw_surprise(scores, source, synthesizer.model, plot)
