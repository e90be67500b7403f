"""``triforce-tts``: one command. Sub-commands of the builder and the trainer come through package entry points."""

import sys
from importlib.metadata import entry_points
from importlib.metadata import version as metadata_version
from typing import Annotated, Any

import typer

from triforce_tts.cli.speak import listen, resynthesize, score, speak
from triforce_tts.errors import TriforceError

# Old versions of typer raise click's errors, new ones their own copy of them: this is the common class of either.
UsageError: Any = typer.BadParameter.__mro__[1]

EXTRAS = {
    "accelerate": "train",
    "tensorboard": "train",
    "webdataset": "data",
    "pocketsphinx": "data",
}  # modules that speaking does not need

app = typer.Typer(
    name="triforce-tts",
    help="Text to speech from three separately trained networks: build data, train, speak.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False) -> None:
    if version:
        typer.echo(metadata_version("triforce-tts"))
        raise typer.Exit


for command in (listen, resynthesize, score, speak):
    app.command()(command)


def _load_programs() -> None:
    """Add the sub-commands that ``data`` and ``stages`` register; their imports wait until one is called."""
    for entry in sorted(entry_points(group="triforce_tts.commands"), key=lambda e: e.name):
        wanted = len(sys.argv) > 1 and sys.argv[1] == entry.name
        shows_help = len(sys.argv) <= 1 or sys.argv[1].startswith("-")
        if wanted or shows_help:
            loaded = entry.load()
            if isinstance(loaded, typer.Typer):
                app.add_typer(loaded, name=entry.name)
            else:
                app.command(entry.name)(loaded)


def main() -> None:
    """Run the command line; an error that a user can mend is one line on stderr and exit code 2."""
    try:
        _load_programs()
        code = app(standalone_mode=False)
    except TriforceError as error:
        print(f"triforce-tts: {' '.join(str(error).split())}", file=sys.stderr)
        code = 2
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        extra = EXTRAS[error.name]
        print(f"triforce-tts: this needs '{error.name}': pip install 'triforce-tts[{extra}]'", file=sys.stderr)
        code = 2
    except UsageError as error:
        error.show()
        code = 2
    except (KeyboardInterrupt, typer.Abort):
        print("triforce-tts: interrupted; nothing half-written is left", file=sys.stderr)
        code = 130
    sys.exit(code or 0)


if __name__ == "__main__":
    main()
