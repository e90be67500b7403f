"""``triforce-tts adapt``: makes a model that speaks with the voice in a folder of recordings."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    recordings: Annotated[Path, typer.Argument(metavar="RECORDINGS", help="Folder with recordings of one voice.")],
    out: Annotated[Path, typer.Option(help="Model folder to write; the steps leave their work in OUT.adapt.")],
    minutes: Annotated[float, typer.Option(help="Minutes of training, over all starts of the command.")] = 30.0,
    model: Annotated[Path | None, typer.Option(help="Model to train on; default: the bundled model.")] = None,
    speaker: Annotated[str | None, typer.Option(help="Whose voice, where several people speak.")] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Cut and write down the recordings, whatever texts lie beside them.")
    ] = False,
    transcriber: Annotated[
        str,
        typer.Option(help="Writes raw recordings down: auto, tiny.en, pocketsphinx, or a folder for CTranslate2."),
    ] = "auto",
    evaluate: Annotated[
        bool, typer.Option("--evaluate/--no-evaluate", help="Judge the model, and the one before.")
    ] = True,
    sentences: Annotated[int, typer.Option(help="So many sentences are judged of each model.")] = 8,
    seed: Annotated[int, typer.Option(help="Equal seeds hold out the same clips.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes that build and code.")] = 2,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a setting, such as gpt.run.learning_rate=1e-4; repeatable."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a model at OUT, and work that was begun otherwise.")
    ] = False,
) -> None:
    """Give the model a voice: train it on with recordings of one person.

    RECORDINGS holds short clips with their texts (x.wav with x.txt or x.lab, a manifest.jsonl, or a tree as 'triforce-tts
    build labelled' takes), or long recordings without, which are cut and written down. At least a minute of speech is
    needed; five to thirty are better. Train only with the consent of the person whose voice it is. Stopped or killed,
    the same command goes on.

    Example: triforce-tts adapt recordings/ --out my-voice --minutes 30
    """
    # This import and those below stand here, because they load torch, and --help must not wait for that.
    from rich.console import Console

    from triforce_tts.synthesis.model import bundled_model

    from .options import Options
    from .run import adapt

    options = Options(
        recordings, out, model or bundled_model(), minutes, speaker, raw, transcriber, evaluate, sentences, seed, workers,
        force, tuple(set_ or ()),
    )  # fmt: skip
    adapt(options, Console(stderr=True))
