"""The equipment of ``narrate``: the model with its voices and the checks, which each process opens for itself."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from triforce_tts.cli.preparing import ModelOptions, choose_voice, open_checks, require_voice, say_of_lexicons
from triforce_tts.errors import ConfigError

if TYPE_CHECKING:
    from triforce_tts.narrator.cast import CastFile
    from triforce_tts.narrator.speaking import Part, Studio


@dataclass(frozen=True)
class Equipment:
    """The values with which each process opens the same studio."""

    options: ModelOptions
    voice: Path | None
    cast_path: Path | None
    recogniser: str | None
    cast_file: "CastFile | None" = None

    def with_cast(self) -> "Equipment":
        """A copy with the content of the cast file; a voice that there is not is refused."""
        require_voice(self.voice)
        return replace(self, cast_file=_read_cast(self.cast_path, self.voice))

    def open(self, device: str, quiet: bool) -> "Studio":
        """The checks, and the model with its voices; notes on the voices are printed."""
        from triforce_tts.narrator.speaking import Studio

        checker = open_checks(self.options.care, self.recogniser, quiet)
        synthesizer = self.options.open_for_lines(device)
        say_of_lexicons(synthesizer, quiet)

        def part(path: Path | None) -> "Part":
            from triforce_tts.manifest import DEFAULT_VOICE
            from triforce_tts.narrator.checks import with_voice
            from triforce_tts.narrator.speaking import Part

            chosen = choose_voice(synthesizer, path, quiet)
            clip = synthesizer.folder / DEFAULT_VOICE if path is None else path
            return Part(chosen, with_voice(checker, clip, synthesizer.audio))

        cast_file, voice = self.cast_file, self.voice
        if cast_file is not None and cast_file.narrator is not None:
            voice = cast_file.clip(cast_file.narrator)
        usual = part(voice)
        others = {name: part(cast_file.clip(name)) for name in cast_file.voices} if cast_file is not None else {}
        care = self.options.care
        return Studio(synthesizer, usual.voice, usual.checker, care.tries, others, care.takes)


def _read_cast(path: Path | None, voice: Path | None) -> "CastFile | None":
    if path is None:
        return None
    from triforce_tts.narrator.cast import read_cast

    cast_file = read_cast(path)
    cast_file.require_voices()
    if cast_file.narrator is not None and voice is not None:
        raise ConfigError(
            f"--voice {voice}: {path} names the narrator's voice too ('{cast_file.narrator}'); give it in one place"
        )
    return cast_file
