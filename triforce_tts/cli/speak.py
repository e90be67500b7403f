"""The command ``speak``, which speaks a text into a file and prints a line on stderr."""

import sys
import time
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from triforce_tts import bounds
from triforce_tts.bounds import MAX_CHARACTERS
from triforce_tts.cli.options import (
    PROGRESS,
    Batch,
    Device,
    LexiconFiles,
    Model,
    PresetName,
    Processes,
    Quiet,
    RayAddress,
    Seed,
    Steps,
    VoiceClip,
)
from triforce_tts.cli.piping import pipe_sound, require_pipe
from triforce_tts.cli.preparing import (
    ModelOptions,
    choose_voice,
    chosen_preset,
    require_target,
    require_voice,
    say_of_lexicons,
    say_what_is_slow,
    take_choice,
)
from triforce_tts.errors import ConfigError, TextError
from triforce_tts.presets import STANDARD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triforce_tts.line_files import Reader
    from triforce_tts.narrator.progress import Shown
    from triforce_tts.speech import Spoken
    from triforce_tts.synthesis import Synthesizer
    from triforce_tts.voices import Voice

_STDOUT = Path("-")
# A character has at most 4 bytes in UTF-8, so a text of so many bytes is too long.
STDIN_BYTES = 4 * MAX_CHARACTERS + 1


HELP = """Say a text in the default voice, or in the voice of a clip.

Long texts are spoken sentence by sentence. A word can be given as phonemes: "{T AH0 M EY1 T OW0}", and a pause asked for:
"[pause 500ms]" or "[pause 0.5s]". A sentence that does not come out complete is tried three times (with --stream it is
not, once it is heard); what is still missing then is said, a line each, also with --quiet.

Examples:

  triforce-tts speak "Good morning." --out morning.wav

  triforce-tts speak - --voice me.wav --seed 3 < letter.txt

  triforce-tts speak - --out - --stream < letter.txt | aplay

  triforce-tts speak --lines prompts.tsv --out prompts --format .flac
"""


def speak(
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="What to say; '-' reads it from standard input.")
    ] = None,
    voice: VoiceClip = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write: .wav, .flac, .mp3 or .ogg; '-' is standard output, as WAV; with --lines a folder. "
            "Default: speech.wav, or the list's name without its suffix."
        ),
    ] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="With --out -: write the sound while it is made, for a player.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="With --out -: bare samples (16 bits, little-endian, mono) without a head.")
    ] = False,
    lines: Annotated[
        Path | None, typer.Option(help="List of texts, one a line, or name, tab and text: each gets a file in --out.")
    ] = None,
    lines_format: Annotated[
        str | None, typer.Option("--format", help="Format of the files of --lines; default: .wav.")
    ] = None,
    lexicon: LexiconFiles = None,
    speed: Annotated[float, typer.Option(help="Of reading, times the usual: 0.8 to 1.25. The pitch stays.")] = 1.0,
    timestamps: Annotated[
        Path | None, typer.Option(help="Also write when each word and sentence is said: .json, .srt or .vtt.")
    ] = None,
    candidates: Annotated[
        int, typer.Option(help="Draw so many of each sentence, 1 to 64, and keep the one that is understood best.")
    ] = 1,
    preset: PresetName = STANDARD,
    model: Model = None,
    seed: Seed = 0,
    steps: Steps = None,
    device: Device = "auto",
    threads: Annotated[
        int, typer.Option(help="CPU threads, up to 1024; 0: as many as cores, and one a process with --lines.")
    ] = 0,
    processes: Processes = 0,
    ray: RayAddress = None,
    batch: Batch = 0,
    progress: Annotated[str, typer.Option(help="Of --lines: bar, json (lines on standard output), or none.")] = "bar",
    quiet: Quiet = False,
) -> None:
    """Speak ``text``, or each of the ``lines``; ``HELP`` is what ``--help`` says of it."""
    began = time.perf_counter()
    _require_content(text, lines, stream or raw or timestamps is not None)
    _check_crew(processes, progress)
    if lines is None:
        _require_one(ray, lines_format, processes, batch, progress)
    options = ModelOptions(model, threads, batch, steps, seed, lexicon, chosen_preset(preset))
    voicing = _Voicing(options, candidates, speed, voice, preset)
    if lines is not None:
        _speak_lines(
            lines, _lines_folder(lines, out), lines_format or ".wav", device, processes, ray, progress, quiet, voicing
        )
    elif text is not None:
        _speak_one(text, _Target(out or Path("speech.wav"), stream, raw, timestamps), voicing, device, quiet, began)


@dataclass(frozen=True)
class _Voicing:
    """The options for making speech of a text, in this process or in one that helps it."""

    options: ModelOptions
    candidates: int
    speed: float
    voice: Path | None
    preset: str  # the name of the preset, for a message; ``options`` hold its settings

    @property
    def inputs(self) -> tuple[Path | None, ...]:
        """The files that no output may replace."""
        return (self.voice, *self.options.inputs)

    def check(self) -> None:
        """Refuse values out of range and a voice that there is not, before any work is done."""
        bounds.CANDIDATES.check("--candidates", self.candidates)
        bounds.SPEED.check("--speed", self.speed)
        require_voice(self.voice)

    def synthesizer(self, device: str, quiet: bool) -> "Synthesizer":
        """The model that speaks one text."""
        return self._set(self.options.open(device), quiet)

    def reader(self, device: str, *, quiet: bool) -> "Reader":
        """The model with its voice that speaks lines."""
        options = replace(self.options, threads=self.options.threads or 1)
        synthesizer = self._set(options.open_for_lines(device), quiet)
        from triforce_tts.line_files import Reader

        if not quiet:
            say_what_is_slow(synthesizer)
        return Reader(synthesizer, choose_voice(synthesizer, self.voice, quiet))

    def _set(self, synthesizer: "Synthesizer", quiet: bool) -> "Synthesizer":
        synthesizer.settings = replace(synthesizer.settings, candidates=self.candidates, speed=self.speed)
        say_of_lexicons(synthesizer, quiet)
        synthesizer.choice = take_choice(self.options.care, quiet)
        return synthesizer


@dataclass(frozen=True)
class _Target:
    """The target of the speech of one text, and its form."""

    out: Path
    stream: bool
    raw: bool
    timestamps: Path | None


def _speak_one(text: str, target: _Target, voicing: _Voicing, device: str, quiet: bool, began: float) -> None:
    """Speak one text, or the text on standard input."""
    voicing.check()
    _require_output(target.out, target.stream, target.raw, voicing.inputs, voicing.options.model)
    _require_times(target.timestamps, voicing.inputs)
    if target.stream and voicing.options.care.takes > 1:
        raise ConfigError(
            f"--preset {voicing.preset}: it compares several takes of each line, for which --stream cannot wait"
        )
    synthesizer = voicing.synthesizer(device, quiet)
    content = _read_stdin() if text == "-" else text
    synthesizer.prepare(content)  # bad text is refused before the voice is read
    chosen = choose_voice(synthesizer, voicing.voice, quiet)
    say = _stream if target.stream else partial(_speak_whole, out=target.out)
    spoken = say(synthesizer, content, chosen, voicing.options.seed, raw=target.raw, quiet=quiet, began=began)
    _write_times(target.timestamps, spoken, synthesizer)


def _check_crew(processes: int, progress: str) -> None:
    bounds.PROCESSES.check("--processes", processes)
    bounds.one_of("--progress", progress, PROGRESS)


def _require_one(ray: str | None, lines_format: str | None, processes: int, batch: int, progress: str) -> None:
    """Refuse options of a list beside one text, which one process speaks line by line."""
    bounds.BATCH.check("--batch", batch)
    if ray is not None:
        raise ConfigError(f"--ray {ray}: a cluster speaks the texts of --lines; leave it out for one text")
    if lines_format is not None:
        raise ConfigError(
            f"--format {lines_format}: it is for the files of --lines; for one text the name in --out says the format"
        )
    if processes > 1:
        raise ConfigError(
            f"--processes {processes}: they share the texts of --lines; leave it out for one text, or give --threads"
        )
    if batch > 1:
        raise ConfigError(f"--batch {batch}: it is for the lines of --lines; leave it out for one text")
    if progress == "json":
        raise ConfigError(f"--progress {progress}: it tells of the texts of --lines; leave it out for one text")


def _require_content(text: str | None, lines: Path | None, is_for_one: bool) -> None:
    """Refuse a command with nothing to say, and a list beside a text or options for one text."""
    if lines is None:
        if text is None:
            raise ConfigError("there is nothing to say; give a text, '-' for standard input, or a list with --lines")
        return
    if text is not None:
        raise ConfigError(f"--lines {lines}: a text was given too ('{text[:40]}'); give one of them")
    if is_for_one:
        raise ConfigError("--lines writes a file for each text; --stream, --raw and --timestamps are for one text")


def _lines_folder(lines: Path, out: Path | None) -> Path:
    """The folder for the files of a list; the name of a sound file was meant for one text."""
    if out is None:
        return Path(lines.stem)
    if not out.is_dir() and (out == _STDOUT or out.suffix.lower() in (".wav", ".flac", ".mp3", ".ogg")):
        raise ConfigError(
            f"--out {out}: --lines writes a file for each text; give a folder, and the format with --format"
        )
    return out


def _require_times(path: Path | None, sources: tuple[Path | None, ...]) -> None:
    if path is not None:
        from triforce_tts.files import refuse_sources
        from triforce_tts.timestamps import require_timestamps

        require_timestamps(path)
        refuse_sources(path, [source for source in sources if source is not None])


def _write_times(path: Path | None, spoken: "Sequence[Spoken]", synthesizer: "Synthesizer") -> None:
    if path is not None and spoken:
        from triforce_tts.timestamps import timed_sentences, write_timestamps

        write_timestamps(path, timed_sentences(spoken, synthesizer.audio.sample_rate))


def _speak_whole(
    synthesizer: "Synthesizer", text: str, voice: "Voice", seed: int, *, out: Path, raw: bool, quiet: bool, began: float
) -> "Sequence[Spoken]":
    """Speak ``text`` into a file, or into standard output when all of it is made. The result is its lines."""
    audio = synthesizer.speak(text, voice, seed)
    for fault in audio.faults:
        typer.echo(fault, err=True)
    if len(audio.samples) == 0:
        raise TextError(f"{out}: not written, there is no sound; try another --seed, or write the text in other words")
    if out == _STDOUT:
        pipe_sound([audio.samples], audio.sample_rate, audio.tags, raw, len(audio.samples))
    else:
        audio.save(out)
    if not quiet:
        took = time.perf_counter() - began
        typer.echo(f"{out}: {audio.duration_s:.1f} s of speech in {took:.1f} s ({_stages(synthesizer)})", err=True)
        say_what_is_slow(synthesizer)
    return audio.lines


def _stream(
    synthesizer: "Synthesizer", text: str, voice: "Voice", seed: int, *, raw: bool, quiet: bool, began: float
) -> "Sequence[Spoken]":
    """Speak ``text`` into standard output while it is made. The result is its lines; none if the reader left."""
    called, rate = time.perf_counter(), synthesizer.audio.sample_rate
    with closing(synthesizer.stream(text, voice, seed)) as speech:
        piped = pipe_sound(speech, rate, synthesizer.tags(seed), raw)
    if piped.closed:
        return []
    for fault in speech.faults:
        typer.echo(fault, err=True)
    if piped.first_at is None:
        raise TextError("-: nothing was written, there is no sound; try another --seed, or other words")
    if not quiet:
        typer.echo(
            f"-: {piped.samples / rate:.1f} s of speech in {time.perf_counter() - began:.1f} s, the first sound after "
            f"{piped.first_at - began:.2f} s, {piped.first_at - called:.2f} s after the model was ready "
            f"({_stages(synthesizer)})",
            err=True,
        )
    return speech.lines


def _stages(synthesizer: "Synthesizer") -> str:
    from triforce_tts.synthesis.stopwatch import STAGES

    seconds = synthesizer.stopwatch.seconds
    return ", ".join(f"{name} {seconds[stage]:.1f}" for stage, name in STAGES.items() if stage in seconds)


def _speak_lines(
    lines: Path,
    out: Path,
    suffix: str,
    device: str,
    processes: int,
    ray: str | None,
    progress: str,
    quiet: bool,
    voicing: _Voicing,
) -> None:
    from triforce_tts.cli.lines import ListOrder, speak_lines

    voicing.check()
    shown = cast("Shown", "none" if quiet and progress == "bar" else progress)
    order = ListOrder(lines, out, suffix, voicing.options.seed, device, processes, ray, shown, quiet)
    speak_lines(order, voicing.reader, voicing.inputs)


def _require_output(out: Path, stream: bool, raw: bool, sources: tuple[Path | None, ...], model: Path | None) -> None:
    """Refuse an output of ``speak`` that cannot be written, before any work is done."""
    if out == _STDOUT:
        require_pipe()
        return
    for name, chosen in (("--stream", stream), ("--raw", raw)):
        if chosen:
            raise ConfigError(f"{name} writes to standard output, found --out {out}; add --out -")
    require_target(out, sources, model)


def _read_stdin() -> str:
    content = sys.stdin.buffer.read(STDIN_BYTES)
    if len(content) == STDIN_BYTES:
        raise TextError(
            f"standard input has more than {MAX_CHARACTERS} characters, which is the limit for one text; "
            "divide the text and speak its parts one by one"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextError(f"standard input is not UTF-8 text (byte {error.start}); convert it first") from error
