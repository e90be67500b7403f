"""The options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from triforce_tts.presets import HELP

VoiceClip = Annotated[
    Path | None,
    typer.Option(help="Clip of the voice to clone, or a name of 'triforce-tts voices'; default: the model's voice."),
]
LexiconFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--lexicon",
        help="Pronunciations of your own, lines such as 'phonemes  F OW1 N IY2 M Z', or a .pls; may be repeated.",
    ),
]
Model = Annotated[Path | None, typer.Option(help="Model folder; default: the bundled model.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, or auto.")]
Threads = Annotated[int, typer.Option(help="CPU threads, up to 1024; 0: as many as cores.")]
ProcessThreads = Annotated[
    int, typer.Option("--threads", help="CPU threads of each process, up to 1024; 0: as many as cores.")
]
Processes = Annotated[
    int,
    typer.Option(
        help="Processes that speak; 0: one for each GPU, or up to four on a CPU where the work is long enough for them."
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray",
        help="Address of a Ray cluster whose machines speak too, or 'auto'; they see the same paths as this one.",
    ),
]
Batch = Annotated[
    int,
    typer.Option(
        help="Lines that a process draws at once, 1 to 256; 0: 16 on a GPU, and 8 on a CPU (1 without the native operators)."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")]
Seed = Annotated[int, typer.Option(help="Equal seeds give equal speech; 0 to 9223372036854775807.")]
Steps = Annotated[int | None, typer.Option("--steps", help="Steps of stage 3, 0 to 1000; default: the model's own.")]
PresetName = Annotated[str, typer.Option("--preset", help=HELP)]
PROGRESS = ("bar", "json", "none")
