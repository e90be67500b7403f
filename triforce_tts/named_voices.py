"""The voices that come with the package: a clip each, called by its name instead of a path."""

from importlib import resources
from pathlib import Path

from triforce_tts.errors import AudioError


def named_clips() -> dict[str, Path]:
    """The clip of each voice of the package, by the name of the voice."""
    folder = Path(str(resources.files("triforce_tts"))) / "assets" / "voices"
    return {path.stem: path for path in sorted(folder.glob("*.flac"))}


def is_named(voice: Path | str) -> bool:
    """Whether ``voice`` is the name of a voice of the package; a file of that name comes first."""
    return str(voice) in named_clips() and not Path(voice).exists()


def find_clip(voice: Path | str) -> Path:
    """The clip that ``voice`` means: a file, or the name of a voice of the package.

    Raises:
        AudioError: it is neither.
    """
    path, clips = Path(voice), named_clips()
    if path.exists():
        return path
    if str(voice) not in clips:
        raise AudioError(
            f"{voice}: no such file, and no voice of that name; give a clip, or one of: {', '.join(clips)}"
        )
    return clips[str(voice)]
