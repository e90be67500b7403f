"""The commands ``speak``, ``resynthesize``, ``listen`` and ``score``: arguments in, files and a line on stderr out."""

import os
import sys
import time
from contextlib import closing
from dataclasses import replace
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
    Seed,
    Steps,
    Threads,
    VoiceClip,
)
from triforce_tts.cli.piping import pipe_sound, require_pipe
from triforce_tts.cli.preparing import (
    choose_voice,
    chosen_preset,
    prepare,
    prepare_for_lines,
    say_what_is_slow,
    take_choice,
)
from triforce_tts.errors import ConfigError, TextError
from triforce_tts.presets import STANDARD, Preset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from triforce_tts.line_files import Reader
    from triforce_tts.narrator.progress import Shown
    from triforce_tts.speech import Spoken
    from triforce_tts.synthesis import Synthesizer
    from triforce_tts.voices import Voice

_STDOUT = Path("-")
STDIN_BYTES = 4 * MAX_CHARACTERS + 1  # a character has at most 4 bytes in UTF-8, so this many bytes are too long a text


def speak(
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="What to say; '-' reads it from standard input.")
    ] = None,
    voice: VoiceClip = None,
    out: Annotated[
        Path,
        typer.Option(
            help="File to write: .wav, .flac, .mp3 or .ogg; '-' is standard output, as WAV; with --lines a folder."
        ),
    ] = Path("speech.wav"),
    stream: Annotated[
        bool, typer.Option("--stream", help="With --out -: write the sound while it is made, for a player.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="With --out -: bare samples (16 bits, little-endian, mono) without a head.")
    ] = False,
    lines: Annotated[
        Path | None, typer.Option(help="List of texts, one a line, or name, tab and text: each gets a file in --out.")
    ] = None,
    lines_format: Annotated[str, typer.Option("--format", help="Format of the files of --lines.")] = ".wav",
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
    batch: Batch = 0,
    progress: Annotated[str, typer.Option(help="Of --lines: bar, json (lines on standard output), or none.")] = "bar",
    quiet: Quiet = False,
) -> None:
    """Say a text in the default voice, or in the voice of a clip.

    Long texts are spoken sentence by sentence. A word can be given as phonemes: "{T AH0 M EY1 T OW0}", and a pause asked for:
    "[pause 500ms]" or "[pause 0.5s]". A sentence that does not come out complete is tried three times (with --stream it is
    not, once it is heard); what is still missing then is said, a line each, also with --quiet.

    Examples:

      triforce-tts speak "Good morning." --out morning.wav

      triforce-tts speak - --voice me.wav --seed 3 < letter.txt

      triforce-tts speak - --out - --stream < letter.txt | aplay

      triforce-tts speak --lines prompts.tsv --out prompts --format .flac
    """
    care = chosen_preset(preset)
    sources = (voice, *(lexicon or []), model)
    if lines is not None:
        _refuse_beside_lines(lines, text, stream or raw or timestamps is not None)
        reader = partial(
            open_reader, model=model, threads=threads or 1, batch=batch, steps=steps, seed=seed, lexicon=lexicon,
            candidates=candidates, speed=speed, voice=voice, care=care,
        )  # fmt: skip
        _speak_lines(lines, out, lines_format, seed, device, processes, progress, quiet, reader, sources)
        return
    if text is None:
        raise ConfigError("there is nothing to say; give a text, '-' for standard input, or a list with --lines")
    began = time.perf_counter()
    bounds.CANDIDATES.check("--candidates", candidates)
    bounds.SPEED.check("--speed", speed)
    _require_output(out, stream, raw, sources, model)
    _require_times(timestamps)
    if stream and care.takes > 1:
        raise ConfigError(f"--preset {preset}: it compares several takes of each line, for which --stream cannot wait")
    synthesizer = prepare(model, device, threads, steps, seed, lexicon, care)
    synthesizer.settings = replace(synthesizer.settings, candidates=candidates, speed=speed)
    synthesizer.choice = take_choice(care, quiet)
    content = _read_stdin() if text == "-" else text
    synthesizer.prepare(content)  # bad text is refused before the voice is read
    chosen = choose_voice(synthesizer, voice, quiet)
    say = _stream if stream else partial(_speak_whole, out=out)
    _write_times(timestamps, say(synthesizer, content, chosen, seed, raw=raw, quiet=quiet, began=began), synthesizer)


def _refuse_beside_lines(lines: Path, text: str | None, is_for_one: bool) -> None:
    """Refuse a text and options for one text beside a list."""
    if text is not None:
        raise ConfigError(f"--lines {lines}: a text was given too ('{text[:40]}'); give one of them")
    if is_for_one:
        raise ConfigError("--lines writes a file for each text; --stream, --raw and --timestamps are for one text")


def _require_times(path: Path | None) -> None:
    if path is not None:
        from triforce_tts.timestamps import require_timestamps

        require_timestamps(path)


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
    return ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in synthesizer.stopwatch.seconds.items())


def _speak_lines(
    lines: Path, out: Path, suffix: str, seed: int, device: str, processes: int, progress: str, quiet: bool,
    reader: "Callable[..., Reader]", sources: tuple[Path | None, ...],
) -> None:  # fmt: skip
    from triforce_tts.cli.lines import ListOrder, speak_lines

    bounds.PROCESSES.check("--processes", processes)
    bounds.one_of("--progress", progress, PROGRESS)
    shown = cast("Shown", "none" if quiet and progress == "bar" else progress)
    speak_lines(ListOrder(lines, out, suffix, seed, device, processes, shown, quiet), reader, sources)


def open_reader(
    device: str, *, model: Path | None, threads: int, batch: int, steps: int | None, seed: int,
    lexicon: list[Path] | None, candidates: int, speed: float, voice: Path | None, care: Preset, quiet: bool,
) -> "Reader":  # fmt: skip
    """The model with its voice, in this process or in one that helps it."""
    bounds.CANDIDATES.check("--candidates", candidates)
    bounds.SPEED.check("--speed", speed)
    synthesizer = prepare_for_lines(model, device, threads, batch, steps, seed, lexicon, care)
    synthesizer.settings = replace(synthesizer.settings, candidates=candidates, speed=speed)
    synthesizer.choice = take_choice(care, quiet)
    from triforce_tts.line_files import Reader

    if not quiet:
        say_what_is_slow(synthesizer)
    return Reader(synthesizer, choose_voice(synthesizer, voice, quiet))


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
    _require_target(out, (source, model), model)
    synthesizer = prepare(model, device, threads, 0 if skip_diffusion else steps, seed)
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
    """Print what the GPT hears in a recording (the flip: the same network, run the other way)."""
    typer.echo(prepare(model, device, threads, None).listen(source))


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
    """
    if plot is not None:
        from triforce_tts.drawing import require_png  # here, because it imports torch

        require_png("--plot", plot, [path for path in (source, voice, model) if path is not None])
        _require_outside(plot, model)
    synthesizer = prepare(model, device, threads, None)
    scores = synthesizer.score(source, text, voice)
    typer.echo(f"flip\t{scores.flip:.4f}")
    typer.echo(f"speech given text, a code\t{-scores.nats_per_code:.4f}")
    typer.echo(f"text given speech, a letter\t{float(scores.text_given_speech.mean()):.4f}")
    typer.echo(f"text alone, a letter\t{float(scores.text_alone.mean()):.4f}")
    if tokens:
        for place, nats in enumerate(scores.speech_given_text.tolist()):
            typer.echo(f"speech\t{place}\t\t{nats:.4f}")
        pairs = zip(scores.text_given_speech.tolist(), scores.text_alone.tolist(), strict=True)
        for place, (given, alone) in enumerate(pairs):
            typer.echo(f"text\t{place}\t{(*scores.letters, '<end>')[place]}\t{given:.4f}\t{alone:.4f}")
    if plot is not None:
        from triforce_tts.surprise import draw_surprise

        draw_surprise(scores, source, synthesizer.model, plot)


def _require_output(out: Path, stream: bool, raw: bool, sources: tuple[Path | None, ...], model: Path | None) -> None:
    """Refuse an output of ``speak`` that cannot be written, before any work is done."""
    if out == _STDOUT:
        require_pipe()
        return
    for name, chosen in (("--stream", stream), ("--raw", raw)):
        if chosen:
            raise ConfigError(f"{name} writes to standard output, found --out {out}; add --out -")
    _require_target(out, sources, model)


def _require_target(out: Path, sources: tuple[Path | None, ...], model: Path | None) -> None:
    from triforce_tts.audio.io import require_target  # here, because it imports torch, for which --help must not wait

    require_target(out, sources)
    _require_outside(out, model)


def _require_outside(out: Path, model: Path | None) -> None:
    if model is not None and Path(os.path.realpath(model)) in Path(os.path.realpath(out)).parents:
        raise ConfigError(f"{out}: the output lies in the model folder {model}; choose another place")


def _read_stdin() -> str:
    content = sys.stdin.buffer.read(STDIN_BYTES)
    if len(content) == STDIN_BYTES:
        raise TextError(
            f"standard input has more than {MAX_CHARACTERS} characters, which is the limit for one text; "
            "divide the text and speak its parts one by one"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TextError(f"standard input is not UTF-8 text (byte {error.start}); convert it first") from error
