"""The commands ``speak``, ``resynthesize``, ``listen`` and ``score``: arguments in, files and a line on stderr out."""

import os
import sys
import time
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from triforce_tts import bounds
from triforce_tts.bounds import MAX_CHARACTERS
from triforce_tts.cli.piping import pipe_sound, require_pipe
from triforce_tts.errors import ConfigError, TextError, TriforceError
from triforce_tts.files import write_text
from triforce_tts.named_voices import is_named

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from triforce_tts.line_files import Reader
    from triforce_tts.narrator.progress import Shown
    from triforce_tts.speech import Spoken
    from triforce_tts.synthesis import Synthesizer
    from triforce_tts.voices import Voice

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
Batch = Annotated[
    int, typer.Option(help="Lines that a process draws at once, 1 to 256; 0: 1 on a CPU and 16 on a GPU.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")]
Seed = Annotated[int, typer.Option(help="Equal seeds give equal speech; 0 to 9223372036854775807.")]
Steps = Annotated[int | None, typer.Option("--steps", help="Steps of stage 3, 0 to 1000; default: the model's own.")]
_STDOUT = Path("-")
GPU_BATCH = 16
PROGRESS = ("bar", "json", "none")
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
    if lines is not None:
        if text is not None:
            raise ConfigError(f"--lines {lines}: a text was given too ('{text[:40]}'); give one of them")
        if stream or raw or timestamps is not None:
            raise ConfigError("--lines writes a file for each text; --stream, --raw and --timestamps are for one text")
        reader = partial(
            open_reader, model=model, threads=threads or 1, batch=batch, steps=steps, seed=seed, lexicon=lexicon,
            candidates=candidates, speed=speed, voice=voice,
        )  # fmt: skip
        sources = (voice, *(lexicon or []), model)
        _speak_lines(lines, out, lines_format, seed, device, processes, progress, quiet, reader, sources)
        return
    if text is None:
        raise ConfigError("there is nothing to say; give a text, '-' for standard input, or a list with --lines")
    began = time.perf_counter()
    bounds.CANDIDATES.check("--candidates", candidates)
    bounds.SPEED.check("--speed", speed)
    _require_output(out, stream, raw, (voice, *(lexicon or []), model), model)
    if timestamps is not None:
        from triforce_tts.timestamps import require_timestamps, timed_sentences, write_timestamps

        require_timestamps(timestamps)
    synthesizer = _prepare(model, device, threads, steps, seed, lexicon)
    synthesizer.settings = replace(synthesizer.settings, candidates=candidates, speed=speed)
    content = _read_stdin() if text == "-" else text
    synthesizer.prepare(content)  # bad text is refused before the voice is read
    chosen = _choose_voice(synthesizer, voice, quiet)
    if stream:
        spoken = _stream(synthesizer, content, chosen, seed, raw, quiet, began)
    else:
        spoken = _speak_whole(synthesizer, content, chosen, seed, out, raw, quiet, began)
    if timestamps is not None and spoken:
        write_timestamps(timestamps, timed_sentences(spoken, synthesizer.audio.sample_rate))


def _speak_whole(
    synthesizer: "Synthesizer", text: str, voice: "Voice", seed: int, out: Path, raw: bool, quiet: bool, began: float
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
        _say_what_is_slow(synthesizer)
    return audio.lines


def _stream(
    synthesizer: "Synthesizer", text: str, voice: "Voice", seed: int, raw: bool, quiet: bool, began: float
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


def _say_what_is_slow(synthesizer: "Synthesizer") -> None:
    from triforce_tts import native  # here, because it imports torch, for which --help must not wait

    if synthesizer.device.type == "cpu" and (note := native.missing()):
        typer.echo(note, err=True)


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
    lexicon: list[Path] | None, candidates: int, speed: float, voice: Path | None, quiet: bool,
) -> "Reader":  # fmt: skip
    """The model with its voice, in this process or in one that helps it."""
    bounds.CANDIDATES.check("--candidates", candidates)
    bounds.SPEED.check("--speed", speed)
    synthesizer = _prepare_for_lines(model, device, threads, batch, steps, seed, lexicon)
    synthesizer.settings = replace(synthesizer.settings, candidates=candidates, speed=speed)
    from triforce_tts.line_files import Reader

    return Reader(synthesizer, _choose_voice(synthesizer, voice, quiet))


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
    synthesizer = _prepare(model, device, threads, 0 if skip_diffusion else steps, seed)
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
    typer.echo(_prepare(model, device, threads, None).listen(source))


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
    synthesizer = _prepare(model, device, threads, None)
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


def _prepare(
    model: Path | None, device: str, threads: int, steps: int | None, seed: int = 0, lexicon: list[Path] | None = None
) -> "Synthesizer":
    bounds.SEED.check("--seed", seed)
    bounds.THREADS.check("--threads", threads)
    if steps is not None:
        bounds.DIFFUSION_STEPS.check("--steps", steps)
    import torch

    from triforce_tts.synthesis import Synthesizer

    if threads:
        torch.set_num_threads(threads)
    synthesizer = Synthesizer.load(model, device, lexicon)
    if steps is not None:
        synthesizer.settings = replace(synthesizer.settings, diffusion_steps=steps)
    return synthesizer


def _require_output(out: Path, stream: bool, raw: bool, sources: tuple[Path | None, ...], model: Path | None) -> None:
    """Refuse an output of ``speak`` that cannot be written, before any work is done."""
    if out == _STDOUT:
        require_pipe()
        return
    for name, chosen in (("--stream", stream), ("--raw", raw)):
        if chosen:
            raise ConfigError(f"{name} writes to standard output, found --out {out}; add --out -")
    _require_target(out, sources, model)


def _prepare_for_lines(
    model: Path | None, device: str, threads: int, batch: int, steps: int | None, seed: int, lexicon: list[Path] | None
) -> "Synthesizer":
    """A synthesizer that speaks line by line, or a batch of lines at once."""
    bounds.BATCH.check("--batch", batch)
    synthesizer = _prepare(model, device, threads, steps, seed, lexicon)
    usual = GPU_BATCH if synthesizer.device.type == "cuda" else 1
    synthesizer.settings = replace(synthesizer.settings, batch=batch or usual)
    return synthesizer


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


def _choose_voice(synthesizer: "Synthesizer", voice: Path | None, quiet: bool) -> "Voice":
    """The voice that a command speaks in; what the user should know of it is said."""
    chosen = synthesizer.voice(voice)
    if voice is not None and not is_named(voice) and not quiet:
        _ask_for_consent()
    if chosen.note and not quiet:
        typer.echo(chosen.note, err=True)
    return chosen


def _ask_for_consent() -> None:
    """Ask to clone only with consent, the first time that a voice is cloned on this account."""
    base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    marker = base / "triforce-tts" / "consent-shown"
    if marker.exists():
        return
    typer.echo("Clone a voice only with its owner's consent; written files say that they are synthetic.", err=True)
    with suppress(TriforceError):  # if the home cannot be written, the line is shown again next time
        write_text(marker, "shown\n")
