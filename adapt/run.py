"""An adaptation from a folder of recordings to a model: the steps in their order, each of which leaves a mark.

Everything lies in a folder beside the model, ``NAME.adapt``: shards, codes, the two runs, the voice, the figures. A
command that was killed goes on there; training goes on from its last checkpoint.
"""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from triforce_tts.checkpoint import read_config
from triforce_tts.errors import TriforceError
from triforce_tts.files import marked_kind, working_folder, write_json, write_text
from triforce_tts.manifest import Manifest, read_manifest
from triforce_tts.models.load import load_dvae
from triforce_tts.schema import Record, read_record
from triforce_tts.stages.average import average
from triforce_tts.stages.bundle import CARD, bundle
from triforce_tts.stages.codes import make_codes
from triforce_tts.wording import length

from . import judging, recordings, training, voice
from .journal import STEPS, Facts, Journal
from .options import GPT_SHARE, Options

PLAN = "plan.json"
BUILT, CHOSEN, CODES, GPT, MEAN, DIFFUSION, VOICE, JUDGED = (
    "built", "shards", "codes", "gpt", "gpt-mean", "diffusion", "voice.flac", "judged.jsonl",
)  # fmt: skip
# The seconds that the other steps take for each second of speech and for each judged clip. They estimate the time left.
_BUILD_S, _CODE_S, _VOICE_S, _BUNDLE_S, _CLIP_S = 0.1, 0.15, 30.0, 10.0, 4.0


class Plan(Record):
    """The model and the recordings that a work folder was begun with; others need a new folder."""

    model: str  # the id of the model that is trained further
    recordings: str  # the fingerprint of the folder of recordings
    speaker: str | None
    raw: bool
    transcriber: str
    seed: int


def adapt(options: Options, console: Console) -> dict[str, Any]:
    """Train the model of ``options`` further with the speech of one voice; returns the facts of every step.

    Raises:
        TriforceError: something cannot be used, or too little speech is left; nothing that was done is lost.
    """
    options.check()
    manifest = read_manifest(options.model)
    judging.require_judges(options.evaluate)
    plan = Plan(
        model=manifest.id, recordings=recordings.fingerprint(options.recordings), speaker=options.speaker,
        raw=options.raw, transcriber=options.transcriber, seed=options.seed,
    )  # fmt: skip
    _require_free(options)
    for stage, settings_for in (("gpt", training.gpt_settings), ("diffusion", training.diffusion_settings)):
        # A wrong setting is refused here, not when the recordings are built and coded.
        settings_for(options.model, options.minutes, options.seed, options.workers, options.settings_of(stage))
    kind = recordings.kind_of(options)
    with working_folder(options.work, "adaptation", [options.recordings, options.model]) as work:
        _take_up(work, plan, options)
        return _Adaptation(options, manifest, work, console, plan).run(kind)


def _require_free(options: Options) -> None:
    """Refuse a place for the model if something else lies there.

    Raises:
        TriforceError: the place holds something that is no model, or a model that did not come from the work folder.
    """
    out = options.out
    # The step "voice" comes before the model. Its mark decides, because a kill may have come between the model and its
    # own mark.
    is_ours = (options.work / STEPS).exists() and Journal(options.work).is_done("voice")
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and marked_kind(out) != "model"):
        raise TriforceError(f"--out {out}: holds something that is no model; choose another place")
    if out.is_dir() and any(out.iterdir()) and not (is_ours or options.force):
        raise TriforceError(f"--out {out}: exists already; choose another place, or replace it with --force")


def _take_up(work: Path, plan: Plan, options: Options) -> None:
    """Begin the work folder, or go on in it if it was begun with the same ``plan``.

    Before anything was trained there is nothing to lose, so other recordings, such as more of them, are accepted too.

    Raises:
        TriforceError: something was trained with another plan; the message names the first difference.
    """
    file, is_trained = work / PLAN, (work / GPT).exists()
    earlier = read_record(file, Plan, TriforceError) if file.exists() else plan
    for name, value in earlier:
        now = getattr(plan, name)
        if value != now and is_trained and not options.force:
            raise TriforceError(
                f"{work}: was begun with {name} {value}, now it is {now}; choose another --out, or begin anew with --force"
            )
    if earlier != plan:
        for name in (BUILT, CHOSEN, CODES, GPT, MEAN, DIFFUSION):
            shutil.rmtree(work / name, ignore_errors=True)
        for name in (STEPS, VOICE, JUDGED):
            (work / name).unlink(missing_ok=True)
    write_json(file, plan.model_dump(mode="json"))


class _Adaptation:
    """The steps of an adaptation, and the values that they share."""

    def __init__(self, options: Options, manifest: Manifest, work: Path, console: Console, plan: Plan) -> None:
        self.options, self.manifest, self.work, self.console, self.plan = options, manifest, work, console, plan
        self.model, self.journal = options.model, Journal(work)
        self.audio = load_dvae(self.model / "dvae")[1]
        self.facts: dict[str, Facts] = {}

    def run(self, kind: str) -> dict[str, Any]:
        """Do every step that is not done yet; the recordings are of this ``kind``."""
        options, work = self.options, self.work
        longest_s = training.longest_clip(self.model, self.audio)
        self._do(
            "build",
            f"{kind} recordings to shards",
            self.plan.model_dump(mode="json"),
            lambda: self._build(kind, longest_s),
        )
        inputs = {"longest_s": longest_s}
        self._do("select", "choose the speaker's clips", inputs,
                 lambda: recordings.select(work / BUILT, work / CHOSEN, options, kind, longest_s))  # fmt: skip
        chosen = self.facts["select"]
        self._say(f"'{chosen['speaker']}': {length(chosen['seconds'])} of speech in {chosen['clips']} clips, "
                  f"{length(chosen['heldout_s'])} of it held out")  # fmt: skip
        self._do("codes", "sound to codes", {}, self._codes)
        self._do("gpt", "train stage 2", self._budget("gpt"), self._gpt)
        self._do("diffusion", "train stage 3", self._budget("diffusion"), self._diffusion)
        picked = self._do("voice", "choose the default voice", {}, self._voice)
        self._say(f"default voice: {picked['seconds']} s, chosen among {picked['candidates']} by {picked['by']}")
        self._do("mean", "choose the weights of stage 2", {"least_gain": training.LEAST_GAIN}, self._mean)
        self._do("bundle", "put the model together", {}, self._bundle)
        if options.evaluate:
            summary = self._do("evaluate", "judge both models", {"sentences": options.sentences}, self._evaluate)
            for line in judging.lines(summary):
                self._say(line)
            self._do("card", "write the figures into the model card", {}, self._bundle)
        self._say(f"{options.out}: done; 'triforce-tts speak ... --model {shlex.quote(str(options.out))}' speaks with it, and "
                  f"{work} may be deleted (a longer --minutes goes on there)")  # fmt: skip
        return self.facts

    def _do(self, name: str, title: str, inputs: Facts, work: Callable[[], Facts]) -> Facts:
        def announce_and_work() -> Facts:
            self._say(f"{title} (about {length(self._left(name))} left in all)")
            return work()

        self.facts[name] = self.journal.do(name, inputs, announce_and_work)
        return self.facts[name]

    def _say(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _left(self, name: str) -> float:
        """The seconds that the step ``name`` and those after it will take, roughly."""
        speech = self.facts.get("select", {}).get("seconds", 300.0)
        clips = 3 * self.options.sentences if self.options.evaluate else 0
        seconds = {
            "build": _BUILD_S * speech, "select": 1.0, "codes": len(training.COPIES) * _CODE_S * speech,
            "gpt": 60 * self._budget("gpt")["minutes"], "diffusion": 60 * self._budget("diffusion")["minutes"],
            "voice": _VOICE_S, "mean": _BUNDLE_S, "bundle": _BUNDLE_S, "evaluate": _CLIP_S * clips, "card": _BUNDLE_S,
        }  # fmt: skip
        names = list(seconds)
        return float(sum(seconds[later] for later in names[names.index(name) :]))

    # --- the steps ------------------------------------------------------------------------------------------------

    def _build(self, kind: str, longest_s: float) -> Facts:
        reads = bool(read_config(self.model / "gpt", "gpt")["vocabulary"]["reads"])
        needs = recordings.Needs(self.audio.sample_rate, reads, longest_s)
        recordings.build(kind, self.options, needs, self.work / BUILT, self.console)
        return {"kind": kind}

    def _codes(self) -> Facts:
        silent = make_codes(
            self.model / "dvae", [self.work / CHOSEN], self.work / CODES, self.options.workers, self.console,
            training.COPIES,
        )  # fmt: skip
        return {"silent": silent.count}

    def _budget(self, stage: str) -> Facts:
        """The minutes of a stage, and its settings; stage 3 gets the time that stage 2 leaves over."""
        total = self.options.minutes
        minutes = gpt = GPT_SHARE * total
        if stage != "gpt":
            minutes = max(total - self.facts.get("gpt", {}).get("minutes", gpt), total - gpt)
        return {"minutes": round(minutes, 3), "settings": self.options.settings_of(stage)}

    def _gpt(self) -> Facts:
        return self._train("gpt", "stage 2", training.train_gpt, CODES, GPT)

    def _diffusion(self) -> Facts:
        return self._train("diffusion", "stage 3", training.train_diffusion, CHOSEN, DIFFUSION)

    def _train(self, stage: str, title: str, train: Callable[..., Facts], data: str, run: str) -> Facts:
        budget, options = self._budget(stage), self.options
        facts = train(
            self.model, self.work / data, self.work / run, budget["minutes"], options.seed, options.workers,
            budget["settings"],
        )  # fmt: skip
        why = ", ended early because the held-out clips came no nearer" if facts["stopped_early"] else ""
        stays = "" if training.is_better(facts) else f"; that is hardly better, so {title} stays as it was"
        self._say(f"{title}: {facts['steps']} steps in {facts['minutes']:.1f} min{why}; held-out error "
                  f"{facts['first']:.4f} before, {facts['best']:.4f} at the best step {facts['best_step']}{stays}")  # fmt: skip
        return facts

    def _mean(self) -> Facts:
        """Stage 2 between the model before and what it became: it keeps most of the voice, and reads more surely (docs/voices.md)."""
        if training.is_better(self.facts[GPT]):
            average([self.model / GPT, self.work / GPT / "best"], self.work / MEAN, force=True)
        return {}

    def _stage(self, stage: str, trained: Path) -> Path:
        """What becomes of a stage: ``trained``, or the stage of the model before if training made it hardly better."""
        return trained if training.is_better(self.facts[stage]) else self.model / stage

    def _voice(self) -> Facts:
        return voice.choose_voice(self.work / CHOSEN, self.audio.sample_rate, self.options.seed, self.work / VOICE)

    def _bundle(self) -> Facts:
        card = self.work / CARD
        write_text(card, self._card())
        paths = {
            "dvae": self.model / "dvae",
            "gpt": self._stage(GPT, self.work / MEAN),
            "diffusion": self._stage(DIFFUSION, self.work / DIFFUSION / "best"),
        }
        note = bundle(
            paths, self.options.out, self.options.out.name[:100], self.work / VOICE, card,
            self.manifest.diffusion_steps, force=True, called=self.options.out.name,
        )  # fmt: skip
        if note:
            self._say(note)
        return {"id": read_manifest(self.options.out).id}

    def _evaluate(self) -> Facts:
        return judging.judge(
            self.model, self.options.out, self.work / VOICE, self.work / CHOSEN, self.options.sentences,
            self.options.seed, self.work / JUDGED, self.console,
        )  # fmt: skip

    def _card(self) -> str:
        """The model card: the model that it came from, the recordings that it learnt from, and the figures."""
        chosen, gpt, diffusion = (self.facts[name] for name in ("select", GPT, DIFFUSION))
        figures = judging.lines(self.facts["evaluate"]) if "evaluate" in self.facts else ["Nothing was measured."]
        return "\n".join([
            f"# {self.options.out.name}", "",
            f"The model {self.manifest.name} ({self.manifest.id}), trained on with {length(chosen['seconds'])} of speech "
            f"by '{chosen['speaker']}': stage 2 {_trained(gpt, ' (the mean of its weights before and after)')}, "
            f"stage 3 {_trained(diffusion)}.", "",
            *(f"- {line}" for line in figures), "",
            "Speak with another person's voice only with their consent.", "",
        ])  # fmt: skip


def _trained(facts: Facts, note: str = "") -> str:
    """How long a stage was trained, in words and with a ``note``, or that it stayed as it was."""
    if not training.is_better(facts):
        return "stayed as it was, because nothing made it better"
    return f"for {facts['steps']} steps{note}"
