"""The command ``triforce-tts``. The builder and the trainer add their sub-commands through package entry points."""

import atexit
import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from importlib.metadata import entry_points
from importlib.metadata import version as metadata_version
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

from triforce_tts.cli.evaluate import evaluate
from triforce_tts.cli.narrate import HELP as NARRATE_HELP
from triforce_tts.cli.narrate import narrate
from triforce_tts.cli.recordings import listen, resynthesize, score
from triforce_tts.cli.speak import HELP as SPEAK_HELP
from triforce_tts.cli.speak import speak
from triforce_tts.cli.voices import voices
from triforce_tts.errors import ConfigError, TriforceError
from triforce_tts.files import from_home

# Old versions of typer raise click's errors, and new versions raise their own copies. This is the base class of both.
UsageError: Any = typer.BadParameter.__mro__[1]

# Modules that speaking does not need, each with the extra of the package that installs it.
EXTRAS = {
    **dict.fromkeys(("accelerate", "matplotlib", "tensorboard"), "train"),
    **dict.fromkeys(("feedparser", "idna", "onnxruntime", "pocketsphinx", "py3langid", "scipy"), "data"),
    **dict.fromkeys(("silero_vad", "speechmos", "urllib3", "webdataset"), "data"),
    **dict.fromkeys(("cssselect2", "lxml", "markdown_it", "tinycss2"), "books"),
    **dict.fromkeys(("yt_dlp", "yt_dlp_ejs"), "youtube"),
    **dict.fromkeys(("faster_whisper", "jiwer", "librosa", "whisper_normalizer"), "evaluate"),
    **{"peft": "lora", "ray": "ray", "transformers": "whisper"},
}
INTERRUPTED, TERMINATED = 130, 143  # exit codes: 128 plus the number of the signal

app = typer.Typer(
    name="triforce-tts",
    help="Text to speech from three separately trained networks: build data, train, speak, narrate books.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(show: bool) -> None:
    if show:
        typer.echo(metadata_version("triforce-tts"))
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    pass


# The text of --help for each command; None: the docstring.
_COMMANDS: dict[Callable[..., None], str | None] = {
    evaluate: None, listen: None, narrate: NARRATE_HELP, resynthesize: None, score: None, speak: SPEAK_HELP,
}  # fmt: skip
for command, text in _COMMANDS.items():
    app.command(help=text)(command)
app.add_typer(voices, name="voices")


def _load_programs() -> None:
    """Add the sub-commands that ``data`` and ``stages`` register. A command is imported only when it is called.

    The list of commands needs all commands; one whose extra is not installed is listed with a note.
    """
    for entry in sorted(entry_points(group="triforce_tts.commands"), key=lambda e: e.name):
        is_called = len(sys.argv) > 1 and sys.argv[1] == entry.name
        shows_help = len(sys.argv) <= 1 or (sys.argv[1].startswith("-") and sys.argv[1] != "--version")
        if not (is_called or shows_help):
            continue
        try:
            loaded = entry.load()
        except ModuleNotFoundError as error:
            if is_called or error.name not in EXTRAS:
                raise
            loaded = _unavailable(error.name)
        if isinstance(loaded, typer.Typer):
            app.add_typer(loaded, name=entry.name)
        else:
            app.command(entry.name)(loaded)


def _require_values(command: Any, words: list[str]) -> None:
    """Refuse an empty value, and an option that has another option in the place of its value: the parser would take both.

    An empty value is mostly a variable of a shell that is not set. As a path it would mean the current folder.

    Raises:
        ConfigError: ``--out ""`` or ``--out --dry-run``, for example; ``--out=--dry-run`` says that the value is meant.
    """
    command, words = _called(command, words)
    names = {name for option in _options(command) for name in (*option.opts, *option.secondary_opts)} | {"--help", "-h"}
    needing = _needing_value(command)
    before_dashes = _before_dashes(words)
    if any(not word.strip() for word in words[len(before_dashes) :]):
        raise ConfigError(_empty("an argument"))
    for before, word in pairwise(["", *before_dashes]):
        name, equals, value = word.partition("=")
        if not word.strip():
            raise ConfigError(_empty(before if before in needing else "an argument"))
        if equals and not value.strip() and name in needing:
            raise ConfigError(_empty(name))
    for word, following in pairwise(before_dashes):
        if word in needing and following in names:
            raise ConfigError(
                f"{word}: expected a value, found the option {following}; give the value, or write {word}={following}"
            )


def _called(command: Any, words: list[str]) -> tuple[Any, list[str]]:
    """The sub-command that the first of ``words`` name, and the words behind its name."""
    while words and (inner := getattr(command, "commands", {}).get(words[0])) is not None:
        command, words = inner, words[1:]
    return command, words


def _before_dashes(words: list[str]) -> list[str]:
    """The words among which there may be options."""
    return words[: words.index("--")] if "--" in words else words


def _needing_value(command: Any) -> set[str]:
    """The names of the options of ``command`` that need a value."""
    return {name for option in _options(command) if not option.is_flag and not option.count for name in option.opts}


def _options(command: Any) -> list[Any]:
    """The options of ``command``, and of its sub-commands: 'build' finds out by itself which of them is meant."""
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    for inner in getattr(command, "commands", {}).values():
        options += _options(inner)
    return options


def _with_home(command: Any, words: list[str]) -> list[str]:
    """``words`` with the home folder in place of the "~/" at the beginning of an option's value.

    Shells leave ``--out=~/a.wav`` as it is, and programs that start others know no "~": a folder of that name would be made.
    """
    needing, changed = _needing_value(_called(command, words)[0]), list[str]()
    before_dashes = _before_dashes(words)
    for before, word in pairwise(["", *before_dashes]):
        name, equals, value = word.partition("=")
        if before in needing and word.startswith("~/"):
            changed.append(from_home(word))
        elif name in needing and value.startswith("~/"):
            changed.append(name + equals + from_home(value))
        else:
            changed.append(word)
    return changed + words[len(before_dashes) :]


def _empty(name: str) -> str:
    return f"{name}: expected a value, found an empty text; a variable of the shell may have no value"


def _unavailable(module: str) -> Callable[[], None]:
    """What the list of commands shows for a command that needs ``module``, which is not installed."""

    def command() -> None:
        raise AssertionError("this command is only listed, never called")

    command.__doc__ = f"Not installed here: {_advice(module)}."
    return command


def _advice(module: str) -> str:
    return f"pip install 'triforce-tts[{EXTRAS[module]}]'" if module in EXTRAS else "install the project again"


def main() -> None:
    """Run the command line. An error that a user can mend becomes one line on stderr and exit code 2."""
    _open_streams()
    # Idle threads of a computation spin for some microseconds and then sleep. By default they spin for milliseconds, and
    # on a machine that has other work every step then waits for a thread that has no processor.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminator(os.getpid()))
    code = _run()
    try:
        sys.stdout.flush()
    except OSError as error:  # the disk behind a redirection is full, or the reader has gone
        code = code or _refuse(f"standard output: {error.strerror}")
        # Without this, Python would try to flush standard output once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def program() -> None:
    """``main`` in a process of its own, which ``speak`` ends at once: to tear Python down takes torch half a second."""
    try:
        main()
    except SystemExit as ending:
        if sys.argv[1:2] != ["speak"] or threading.active_count() > 1 or not isinstance(ending.code, int):
            raise
        atexit._run_exitfuncs()
        sys.stderr.flush()
        os._exit(ending.code)


def _run() -> int:
    """The exit code of the command that the arguments name."""
    try:
        _load_programs()
        command, words = typer.main.get_command(app), sys.argv[1:]
        _require_values(command, words)
        code = int(app(_with_home(command, words), standalone_mode=False) or 0)
    except TriforceError as error:
        return _refuse(str(error))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "triforce_tts":
            raise
        return _refuse(f"this needs '{error.name}', which is not installed: {_advice(error.name)}")
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # No command was given, so show() prints the help.
            error.show()
            return 2
        program = error.ctx.command_path if error.ctx else app.info.name
        told = error.format_message().rstrip(".") + _remark(error, sys.argv[1:])
        return _refuse(f"{told}; '{program} --help' lists what is expected")
    except typer.Abort as abort:
        if not isinstance(abort.__cause__, EOFError):
            return _leave("interrupted", INTERRUPTED)
        return _refuse(f"a file or a stream ended before it was complete ({abort.__cause__})")
    except KeyboardInterrupt:
        return _leave("interrupted", INTERRUPTED)
    except _Terminated:
        return _leave("terminated", TERMINATED)
    except OSError as error:
        return _refuse(f"{error.filename or 'the system refused to read or write'}: {error.strerror or error}")
    except MemoryError:
        return _refuse("the memory of this machine is not enough for this; give less at once")
    # New versions of typer answer an interrupt with this code, old ones with Abort.
    return _leave("interrupted", INTERRUPTED) if code == INTERRUPTED else code


def _remark(error: Any, words: list[str]) -> str:
    """What a message about wrong usage lacks: the value that was found, or how a text is given."""
    if type(error).__name__ == "BadParameter" and error.param is not None:
        found = [word for before, word in pairwise(["", *words]) if before in error.param.opts]
        found += [
            value for name, _, value in (word.partition("=") for word in words) if value and name in error.param.opts
        ]
        return f", found '{found[0][:60]}'" if len(found) == 1 and found[0] not in error.format_message() else ""
    if error.ctx is None or all(parameter.name != "text" for parameter in error.ctx.command.params):
        return ""
    if type(error).__name__ == "NoSuchOption":
        is_text = any(word.startswith("-") and " " in word and "=" not in word for word in words)
        return "; a text that begins with '-' needs '--' before it, behind all options" if is_text else ""
    return "; a text of several words needs quotes" if "unexpected extra argument" in error.format_message() else ""


class _Terminated(BaseException):
    """The error that SIGTERM raises, so that half-written files are removed, as after an interrupt."""


def _terminator(owner: int) -> Callable[[int, object], None]:
    """The handler of SIGTERM for the process ``owner``; a process that it forks ends at once, as without a handler."""

    def terminate(number: int, frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second signal ends the process at once
        if os.getpid() != owner:
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            raise _Terminated

    return terminate


def _refuse(message: str) -> int:
    print(f"triforce-tts: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _leave(how: str, code: int) -> int:
    print(f"triforce-tts: {how}; nothing half-written is left", file=sys.stderr)
    return code


def _open_streams() -> None:
    """Open closed standard streams, and let them accept every character: a path in a message can hold any byte."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    program()
