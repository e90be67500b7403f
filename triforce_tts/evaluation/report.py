"""The report of an evaluation as data: the content of ``report.json``, from which tables and pages are made."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from triforce_tts.files import write_json
from triforce_tts.schema import FileName, Record, read_record

REPORT, TABLES = "report.json", "figures.md"
AUDIO, PICTURES = "audio", "pictures"  # folders in the folder of the report

Kind = Literal["spoken", "cloned", "natural", "griffin_lim", "stage1", "stages13"]
SAMPLED: tuple[Kind, ...] = ("spoken", "cloned")  # the kinds that the model speaks, which depend on a seed
COPIES: tuple[Kind, ...] = ("griffin_lim", "stage1", "stages13")
KINDS: dict[Kind, str] = {
    "natural": "recordings",
    "spoken": "spoken",
    "cloned": "cloned voices",
    "griffin_lim": "copy by mel and Griffin-Lim",
    "stage1": "copy by stage 1",
    "stages13": "copy by stages 1 and 3",
}
MEANINGS: dict[Kind, str] = {
    "natural": "a person or a teacher says the sentence, and the recording is judged as it is",
    "spoken": "the model says the sentence in its default voice",
    "cloned": "the model says the sentence in the voice of a clip that it was given",
    "griffin_lim": "a recording becomes a mel spectrogram, and Griffin-Lim makes sound of that, without any network: the "
    "spectrogram loses so much",
    "stage1": "a recording becomes the codes of stage 1, and stage 1 makes sound of them: the codes lose so much more",
    "stages13": "a recording becomes the codes of stage 1, and stages 1 and 3 make sound of them: the best that the model "
    "could say, because only stage 2 is left out",
}


class Figure(Record):
    """A judge's result for one clip: an amount out of a weight, such as 2 wrong words out of 9."""

    amount: float
    weight: float = Field(default=1.0, ge=0)

    @property
    def value(self) -> float | None:
        """The amount divided by the weight; ``None`` without a weight."""
        return self.amount / self.weight if self.weight else None


class Estimate(Record):
    """A figure of many clips, and its 95 % interval if other sentences had been drawn."""

    value: float
    low: float
    high: float
    sentences: int


class Model(Record):
    """A model that was evaluated."""

    label: str  # the name of the model, made unique
    id: str
    networks: dict[str, str]
    diffusion_steps: int


class Sentence(Record):
    """A sentence that was spoken, or that a recording says."""

    id: str
    text: str
    # The list that the sentence comes from: the name of a text file, or of the folder of a manifest.
    group: str = ""


class Clip(Record):
    """A clip that was judged."""

    system: str  # the system that made the clip: the key of its summary
    # The id of the sentence. For a recording without a text it is the name of the file.
    sentence: str
    text: str  # the text that the clip should say; empty if it is not known
    group: str = ""  # the group to which the sentence belongs
    voice: str
    seed: int
    audio: FileName | None  # the file in the folder ``audio``; none if there was no sound
    seconds: float
    heard: str
    figures: dict[str, Figure]
    faults: tuple[str, ...] = ()


class Summary(Record):
    """The figures of all clips of one system: one model, or a set of recordings, in one way of making sound."""

    system: str
    kind: Kind
    label: str  # the label of the model or of the recordings
    clips: int
    figures: dict[str, Estimate]

    @property
    def title(self) -> str:
        """The name of the system in words."""
        return f"{self.label}: {KINDS[self.kind]}"


class Group(Record):
    """The figures over the sentences of one list alone."""

    name: str
    sentences: int
    summaries: tuple[Summary, ...]


class Difference(Record):
    """``first`` less ``second``, each figure over the sentences that both have."""

    first: str
    second: str
    figures: dict[str, Estimate]


class Similarity(Record):
    """The likeness of voices, as cosines of their vectors; 1 means equal."""

    same: Estimate | None  # the likeness of natural clips of one reader
    same_from: str  # the clips that the level ``same`` was taken from
    different: Estimate | None  # the likeness of natural clips of different readers
    references: tuple[str, ...] = ()  # the names of the columns of ``cosines``
    speakers: tuple[str, ...] = ()  # the names of the rows: the speakers to be imitated
    cosines: tuple[tuple[float, ...], ...] = ()


class Report(Record):
    """An evaluation."""

    format: Literal[1] = 1
    models: tuple[Model, ...]
    recogniser: str | None
    # The judges that were left out, each with what to install, and other remarks.
    missing: tuple[str, ...]
    seeds: tuple[int, ...]
    sentences: tuple[Sentence, ...]
    clips: tuple[Clip, ...]
    summaries: tuple[Summary, ...]
    differences: tuple[Difference, ...]
    groups: tuple[Group, ...] = ()  # empty if all sentences come from one list
    similarity: Similarity | None
    processes: int
    seconds: float  # the time from the start of the command to its end
    work_seconds: float = 0.0  # processor time for all clips
    continued: int = 0  # the number of clips that an earlier run had judged before it was stopped

    @property
    def titles(self) -> dict[str, str]:
        """The name of each system in words."""
        return {summary.system: summary.title for summary in self.summaries}

    def summary(self, kind: Kind, label: str | None = None) -> Summary | None:
        """The summary of the systems of a ``kind``: of the first one, or of the one with ``label``."""
        matching = (s for s in self.summaries if s.kind == kind and label in (None, s.label))
        return next(matching, None)


def write_report(folder: Path, report: Report) -> None:
    """Write ``report.json`` into ``folder``."""
    write_json(folder / REPORT, report.model_dump(mode="json"))


def read_report(folder: Path) -> Report:
    """The report in ``folder``.

    Raises:
        TriforceError: the report is missing or damaged.
    """
    return read_record(folder / REPORT, Report)
