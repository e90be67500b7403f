"""``triforce-tts voices``: the voices that come with the package."""

import typer

from triforce_tts.named_voices import named_clips


def voices() -> None:
    """List the voices that --voice knows by name, with their origin and licence.

    Any clip of speech is a voice too: give its file instead of a name.

    Example: triforce-tts speak "Good morning." --voice kathleen
    """
    from triforce_tts.audio.io import flac_tags  # it imports torch, for which --help must not wait

    clips = named_clips()
    width = max(map(len, clips))
    for name, path in clips.items():
        tags = flac_tags(path)
        typer.echo(f"{name:<{width}}  {tags['artist']}; {tags['copyright']}")
