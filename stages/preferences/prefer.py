"""``triforce-tts prefer``: a model says lines several times, judges hear them, and the best and the worst become a pair.

The folder of pairs holds ``drawn/`` (every rendition with its judgement), ``judged.jsonl`` (all judgements with their costs),
and the pairs as shards with an ``index.json``. Choosing is apart from drawing: with another rule the shards are made
again from what is drawn.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from triforce_tts import bounds, pool, schema
from triforce_tts.errors import ConfigError, TextError, TriforceError
from triforce_tts.files import working_folder
from triforce_tts.progress import track
from triforce_tts.wording import counted

from .rule import PreferSettings

# All other modules import torch, and --help must not wait for that.
if TYPE_CHECKING:
    from triforce_tts.synthesis.model import Model

    from .choosing import Outcome
    from .draw import Judges
    from .plan import LineToDraw

DRAWN, SOUNDS = "drawn", "sounds"
MOST_SEED = 1 << 40


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    out: Path
    model: Path
    texts: Sequence[Path] = ()
    voices: Sequence[str] = ()
    candidates: int = 4
    seed: int = 0
    not_in: Sequence[Path] = ()
    choices: Sequence[Path] = ()
    limit: int | None = None
    recogniser: str = "auto"
    device: str = "auto"
    workers: int = 1
    sounds: bool = False
    draw: bool = True

    def check(self) -> None:
        """Refuse numbers out of bounds, and a call without texts.

        Raises:
            ConfigError: a number or the call is refused.
        """
        bounds.Bound(2, bounds.CANDIDATES.most).check("--candidates", self.candidates)
        bounds.Bound(0, MOST_SEED).check("--seed", self.seed)
        bounds.Bound(1, 256).check("--workers", self.workers)
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"--limit {self.limit}: expected at least 1 text")
        if not (self.texts or self.choices):
            raise ConfigError("expected texts to speak (--texts) or choices between renditions (--choices)")


@dataclass(frozen=True)
class _Plan:
    """The lines to draw, and what the user should know of those that are left out."""

    lines: "Sequence[LineToDraw]"
    notes: Sequence[str]


def prefer(options: Options, settings: PreferSettings, console: Console) -> "Outcome":
    """Draw what is missing, and choose the pairs.

    Raises:
        TriforceError: something cannot be used, or no line gives a pair; nothing that was drawn is lost.
    """
    from .choosing import write_pairs
    from .draw import open_model, read_drawn
    from .plan import parse_voices
    from .speakers import is_shards, voices_of

    options.check()
    judges, how = _judges(options, settings)
    model = open_model(options.model, options.device)
    if settings.unit == "word" and not model.vocabulary.config.reads:
        raise ConfigError(
            f"unit word: model {model.name} does not read its text in place, so the frames of its words are not known; use "
            "unit line"
        )
    shares = parse_voices(options.voices)
    sources = [options.model, *options.texts, *options.choices, *(Path(name) for name in shares if is_shards(name))]
    with working_folder(options.out, "pairs", sources) as folder:
        plan = _plan(options, settings, model, how, voices_of(shares, folder))
        (folder / DRAWN).mkdir(exist_ok=True)
        if options.draw:
            done = read_drawn(folder / DRAWN)
            missing = {line.key: line for line in plan.lines if line.seeds and line.key not in done}
            _draw(list(missing.values()), options, settings, judges, folder, console)
        outcome = write_pairs(folder, plan.lines, read_drawn(folder / DRAWN), model, settings)
    outcome.notes[:0] = plan.notes
    return outcome


def _judges(options: Options, settings: PreferSettings) -> "tuple[Judges, str]":
    """The judges, and everything besides text, voice and seed that a rendition and its judgement depend on.

    Raises:
        TriforceError: there is no recogniser.
    """
    from triforce_tts.judges import embedding, recognisers, words
    from triforce_tts.judges.networks import absent

    from .draw import Judges

    choice = recognisers.choose(options.recogniser)
    missing = absent(*words.PACKAGES)
    if choice.recogniser is None or missing:
        what = f"{' and '.join(missing)} cannot be found" if missing else choice.remark
        raise TriforceError(f"renditions are judged by the words that are wrong, and {what}; {recognisers.INSTALL}")
    judges = Judges(choice.recogniser, not absent(embedding.PACKAGE))
    name = recognisers.open_recogniser(judges.recogniser).name
    return judges, json.dumps([name, judges.hears_voices, settings.temperature])


def _plan(options: Options, settings: PreferSettings, model: "Model", how: str, voices: Mapping[str, float]) -> _Plan:
    """The lines that the options ask for, in ``voices`` with these shares."""
    from .plan import open_speaker, plan_lines, read_choices, read_excluded, read_texts, writings

    speakers = [open_speaker(model, name, share) for name, share in voices.items()]
    excluded = read_excluded(options.not_in)
    all_texts = read_texts(options.texts)
    texts = [text for text in all_texts if not (excluded and writings(text) & excluded)]
    notes = [speaker.voice.note for speaker in speakers if speaker.voice.note]
    if all_texts and not texts and not options.choices:
        raise TextError(f"--not-in names all of the {counted(len(all_texts), 'text')} of --texts; give others")
    if len(texts) < len(all_texts):
        notes.append(f"left out {counted(len(all_texts) - len(texts), 'text')} that --not-in names")
    seeds = range(options.seed, options.seed + options.candidates)
    lines, faults = plan_lines(model, texts[: options.limit], speakers, seeds, settings.heldout_share, how)
    if faults:
        text, why = next(iter(faults.items()))
        if not lines and not options.choices:
            raise TextError(f"none of the texts of --texts can be spoken, such as '{text[:60]}': {why}")
        notes.append(f"left out {counted(len(faults), 'text')} that cannot be spoken, such as '{text[:60]}': {why}")
    by_name = {speaker.name: speaker for speaker in speakers}
    for path in options.choices:
        chosen = read_choices(path, model, by_name, how)
        refused = next((line.text for line in chosen if excluded and writings(line.text) & excluded), None)
        if refused is not None:
            raise TextError(f"{path}: the text '{refused[:60]}' is one that --not-in names; take the line out")
        lines += chosen
    return _Plan(lines, notes)


def _draw(
    lines: "Sequence[LineToDraw]",
    options: Options,
    settings: PreferSettings,
    judges: "Judges",
    folder: Path,
    console: Console,
) -> None:
    """Draw and judge ``lines``, one job after another, in one process or several.

    Raises:
        TriforceError: a job's process died twice.
    """
    from .draw import DrawJob, draw_job

    sounds = folder / SOUNDS if options.sounds else None
    jobs = []
    for start in range(0, len(lines), settings.lines_together):
        some = tuple(lines[start : start + settings.lines_together])
        name = hashlib.sha256("".join(line.key for line in some).encode()).hexdigest()[:16]
        jobs.append(
            DrawJob(
                name, some, options.model, options.device, settings.temperature, judges, folder / DRAWN, sounds
            )
        )  # fmt: skip
    done = track(pool.run(draw_job, jobs, options.workers), "lines", len(jobs), console)
    lost = [job.lines[0].text for job, count in done if count is None]
    if lost:
        raise TriforceError(
            f"the process that drew '{lost[0][:60]}' died twice, as if killed or out of memory (this concerns "
            f"{counted(len(lost), 'batch')} of lines); run the same command again, with fewer --workers"
        )


def command(
    out: Annotated[Path, typer.Option(help="Folder for the pairs: a new one, or one that was begun.")],
    texts: Annotated[
        list[Path] | None,
        typer.Option(help="Texts to speak, one a line (what stands before the last tab is left out); repeatable."),
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Model folder; default: the bundled model.")] = None,
    voice: Annotated[
        list[str] | None,
        typer.Option(
            help="Name of a voice, a clip, or shards whose speakers it means, as NAME=SHARE for a share of the texts; "
            "repeatable. Default: the model's own."
        ),
    ] = None,
    candidates: Annotated[int, typer.Option(help="How often each line is said.")] = 4,
    seed: Annotated[int, typer.Option(help="The first seed; the others follow it.")] = 0,
    not_in: Annotated[
        list[Path] | None,
        typer.Option(help="Texts that are never drawn: a list, a .json or a manifest .jsonl; repeatable."),
    ] = None,
    choices: Annotated[
        list[Path] | None,
        typer.Option(help="People's choices, a JSON object a line: text, voice, better, worse; repeatable."),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only so many texts, the first ones.")] = None,
    recogniser: Annotated[
        str, typer.Option(help="auto, tiny.en, pocketsphinx, or a folder of Whisper's weights.")
    ] = "auto",
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
    workers: Annotated[int, typer.Option(help="Processes of one thread each.")] = 1,
    sounds: Annotated[bool, typer.Option("--sounds", help="Also write each rendition to listen to.")] = False,
    draw: Annotated[
        bool, typer.Option("--draw/--no-draw", help="Draw what is missing, or choose among what is drawn.")
    ] = True,
    config: Annotated[str, typer.Option(help="'default', or a path to a .yaml file.")] = "default",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override a setting, as rule.least_apart=0.2; repeatable.")
    ] = None,
) -> None:
    """Make pairs for 'train dpo': a model says each line several times, and judges choose the best and the worst.

    A recogniser's wrong words, words without a sound, length and likeness of the voice make the cost of a rendition. Give
    the held-out texts as --not-in. Stopped or killed, the same command goes on.

    Example: triforce-tts prefer --texts sentences.txt --not-in heldout.txt --voice af_heart=0.5 --voice kathleen --out pairs
    """
    from triforce_tts.synthesis.model import bundled_model

    options = Options(
        out, model or bundled_model(), tuple(texts or ()), tuple(voice or ()), candidates, seed, tuple(not_in or ()),
        tuple(choices or ()), limit, recogniser, device, workers, sounds, draw,
    )  # fmt: skip
    console = Console(stderr=True)
    outcome = prefer(options, schema.load(PreferSettings, "prefer", config, set_ or ()), console)
    for line in (*outcome.notes, *outcome.summary()):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
