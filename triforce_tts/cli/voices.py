"""``triforce-tts voices``: the voices that have names, those of the package and those that the user added."""

from pathlib import Path
from typing import Annotated

import typer

from triforce_tts.errors import AudioError

voices = typer.Typer(
    help="List the voices that --voice knows by name; add, show and remove voices of your own.\n\n"
    'Any clip of speech is a voice too: give its file instead of a name.\n\nExample: triforce-tts speak "Good morning." '
    "--voice kathleen",
    invoke_without_command=True,
    rich_markup_mode=None,
)
Name = Annotated[str, typer.Argument(help="Name of the voice.")]


@voices.callback()
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_voices()


@voices.command("list")
def list_voices() -> None:
    """List all voices, with their origin and licence, or who agreed to their use."""
    # This import and those below stand here, because they load torch, and --help must not wait for that.
    from triforce_tts.audio.io import flac_tags
    from triforce_tts.named_voices import added_clips, named_clips

    clips, added = named_clips(), added_clips()
    width = max(map(len, [*clips, *added]))
    for name, path in clips.items():
        tags = flac_tags(path)
        typer.echo(f"{name:<{width}}  {tags['artist']}; {tags['copyright']}")
    for name in added:
        typer.echo(f"{name:<{width}}  {_origin(name)}")


def _origin(name: str) -> str:
    """The origin of an added voice, or what is wrong with its record: one damaged voice must not hide the others."""
    from triforce_tts.voice_store import read_about

    try:
        about = read_about(name)
    except AudioError as error:
        return f"damaged: {error}; 'triforce-tts voices remove {name}' removes it"
    return f"added {about.added} from {about.source}; consent: {about.consent}"


@voices.command()
def add(
    name: Annotated[str, typer.Argument(help="Name of the voice: letters, digits, '-' and '_'.")],
    clip: Annotated[Path, typer.Argument(help="Clip of one person who speaks, best 6 to 10 s.")],
    consent: Annotated[str, typer.Option(help="Who agreed to the use of this voice; it is kept with the voice.")],
    model: Annotated[
        Path | None, typer.Option(help="Model that the voice is prepared for; default: the bundled model.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Add a clip that makes a poor voice all the same.")] = False,
) -> None:
    """Keep a clip as a voice with a name.

    A clip with less than 3 s of speech, with noise, clipping or music in it is refused; of a longer one the best 6 to 10 s
    are kept.

    Example: triforce-tts voices add ann ann.wav --consent "Ann Smith, by e-mail, 3 May 2026"
    """
    import torch

    from triforce_tts.synthesis.model import bundled_model, load_model
    from triforce_tts.voice_store import add_voice, check_name

    check_name(name)
    loaded = load_model(model or bundled_model(), torch.device("cpu"))
    about, note = add_voice(name, clip, consent, loaded, force)
    for line in (note, *about.faults):
        if line:
            typer.echo(f"{clip}: {line}", err=True)
    typer.echo(f"{name}: {about.seconds:.1f} s; consent: {about.consent}")


@voices.command()
def show(name: Name) -> None:
    """Show what is known of an added voice."""
    from triforce_tts.named_voices import added_clips
    from triforce_tts.voice_store import read_about

    for key, value in read_about(name):
        typer.echo(f"{key}: {'; '.join(value) or 'none' if isinstance(value, list) else value}")
    typer.echo(f"clip: {added_clips()[name]}")


@voices.command()
def remove(name: Name) -> None:
    """Remove an added voice."""
    from triforce_tts.voice_store import remove_voice

    typer.echo(f"{remove_voice(name)}: removed", err=True)
