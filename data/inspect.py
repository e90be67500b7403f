"""The command ``triforce-tts inspect``: it describes the content of shards, of audio or of codes."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from triforce_tts.errors import ShardError
from triforce_tts.samples import LONGEST_S, Described, faults_of
from triforce_tts.shards import ShardSet, read_index
from triforce_tts.text import alignment
from triforce_tts.wording import counted, length

from .common.names import printable
from .options import folder_or_file
from .report.distribution import Distribution

if TYPE_CHECKING:
    from .similarity import Suspects

MOST = 10  # how many speakers, sources, licences and suspects are listed
SHARES = {"min": 0.0, "q1": 0.25, "median": 0.5, "q3": 0.75, "max": 1.0}
NOT_SCORES = ("duration_s", "sample_rate", "start_s", "end_s")  # numbers in a sample's JSON that are no scores


@dataclass
class Contents:
    """Counts over the samples of a split; all seconds are seconds of sound."""

    samples: int = 0
    seconds: float = 0.0
    aligned: int = 0
    speakers: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # seconds
    collections: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # seconds
    licenses: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # seconds
    sample_rates: Counter[str] = field(default_factory=Counter)  # samples
    durations: Distribution = field(default_factory=Distribution)
    scores: defaultdict[str, Distribution] = field(default_factory=lambda: defaultdict(Distribution))

    def add(self, meta: Mapping[str, Any]) -> None:
        """Count a sample with the JSON ``meta``.

        Raises:
            ShardError: a field has a wrong type, or the length is not possible.
        """
        if faults := faults_of(dict(meta), Described):
            raise ShardError("; ".join(faults))
        seconds = meta["duration_s"]
        if not 0 < seconds <= LONGEST_S:
            raise ShardError(f"its length is {seconds} s, expected more than 0 and at most {LONGEST_S:g}")
        self.samples += 1
        self.seconds += seconds
        self.aligned += meta.get(alignment.KEY) is not None
        for table, name in ((self.speakers, "speaker"), (self.collections, "source"), (self.licenses, "license")):
            table[str(meta.get(name, "unknown"))] += seconds
        self.sample_rates[str(meta.get("sample_rate", "unknown"))] += 1
        self.durations.add(seconds)
        for name, value in meta.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool) and name not in NOT_SCORES:
                self.scores[name].add(value)

    def described(self) -> dict[str, Any]:
        """The counts as JSON: hours by name, the largest first; quartiles with three significant digits."""
        by_speaker = Distribution()
        for seconds in self.speakers.values():
            by_speaker.add(seconds / 60)
        return {
            "samples": self.samples,
            "hours": _hours(self.seconds),
            "aligned": self.aligned,
            "speakers": len(self.speakers),
            "minutes_by_speaker": quartiles(by_speaker),
            "hours_by_speaker": _hours_by_name(self.speakers),
            "hours_by_source": _hours_by_name(self.collections),
            "hours_by_license": _hours_by_name(self.licenses),
            "samples_by_sample_rate": dict(sorted(self.sample_rates.items())),
            "duration_s": quartiles(self.durations),
            "scores": {name: quartiles(spread) for name, spread in sorted(self.scores.items())},
        }


def inspect(folders: Iterable[Path], console: Console | None = None) -> dict[str, Any]:
    """Describe each of ``folders``: its kind, its details, and for each split the result of ``Contents.described``.

    Raises:
        ShardError: a folder is missing or is no folder of shards, or a shard is missing or damaged.
    """
    reports: dict[str, Any] = {}
    for folder in folders:
        index = read_index(folder)
        splits = {}
        for split in index["splits"]:
            shards, contents = ShardSet.open([folder], split, index["kind"]), Contents()
            for number in track(range(len(shards)), f"{folder}: {split}", console=console, transient=True):
                try:
                    contents.add(shards.meta(number))
                except (ShardError, ValueError, OverflowError, RecursionError) as error:
                    fault = f"{folder}: sample '{shards.keys[number]}' of '{split}' cannot be read ({error})"
                    raise ShardError(f"{fault}; 'triforce-tts verify' lists all faults") from error
            splits[split] = {"shards": len(index["splits"][split]["shards"]), **contents.described()}
        reports[str(folder)] = {"kind": index["kind"], "details": index["details"], "splits": splits}
    return reports


def quartiles(spread: Distribution) -> dict[str, float]:
    """The smallest value, the quartiles and the largest value, by name; empty if there are no values."""
    return dict(zip(SHARES, spread.quantiles(list(SHARES.values())), strict=True)) if len(spread) else {}


def _hours(seconds: float) -> float:
    return round(seconds / 3600, 6)  # a few milliseconds


def _hours_by_name(table: Mapping[str, float]) -> dict[str, float]:
    return {name: _hours(s) for name, s in sorted(table.items(), key=lambda item: (-item[1], item[0]))}


def command(
    shards: Annotated[
        list[Path],
        typer.Argument(parser=folder_or_file, metavar="SHARDS...", help="Folders of shards, of audio or codes."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    similarity: Annotated[
        Path | None,
        typer.Option(
            parser=folder_or_file,
            metavar="PNG",
            help="Compare the readers of all SHARDS, which hold audio: draw who sounds like whom, and list labels that "
            "look mixed up. It takes about a minute for an hour of speech.",
        ),
    ] = None,
) -> None:
    """Describe shards: for each split its length, speakers, licences, sources and scores."""
    if similarity is not None:
        from triforce_tts.drawing import require_png  # here, because it imports torch, for which --help must not wait

        require_png("--similarity", similarity, shards)
    reports = inspect(shards, Console(stderr=True))
    suspects = None if similarity is None else _compare(shards, similarity)
    if as_json:
        # An index may hold half a character (a lone surrogate), which is written as an escape; JSON allows that.
        if suspects is not None:
            reports["--similarity"] = asdict(suspects)  # no folder has this name
        print(json.dumps(reports, indent=1, ensure_ascii=False).encode("utf-8", "backslashreplace").decode())
        return
    console = Console(soft_wrap=True, highlight=False, markup=False)
    for folder, content in reports.items():
        console.print(f"{printable(folder)}: {content['kind']}")
        for split, described in content["splits"].items():
            _print_split(console, split, described)
    if suspects is not None:
        _print_suspects(console, suspects)


def _compare(folders: Sequence[Path], picture: Path) -> "Suspects":
    """Draw who sounds like whom in all of ``folders`` together; what looks mixed up."""
    from .similarity import SimilarityConfig, compare, draw, listen

    console, config = Console(stderr=True), SimilarityConfig()
    shards = [ShardSet.open([folder], split, "audio") for folder in folders for split in read_index(folder)["splits"]]

    def shown(batches: Iterable[int], count: int) -> Iterable[int]:
        return track(batches, "voices", count, console=console, transient=True)

    voices = listen(shards, config.min_seconds, shown)
    if not voices.keys:
        raise ShardError(
            f"--similarity: no clip is {config.min_seconds:g} s long or longer; there is nobody to compare"
        )
    similarity = compare(voices, config)
    draw(similarity, voices, picture)
    return similarity.suspects


def _print_suspects(console: Console, suspects: "Suspects") -> None:
    """The labels that look mixed up, the clearest first; ``--json`` has all of them."""
    lines = {
        "clips that sound like another reader": [
            f"{c.key}: labelled {c.speaker}, nearer to {c.nearest} by {c.difference:.2f}" for c in suspects.clips
        ],
        "names that sound like one person": [
            f"{p.first} and {p.second}: separation {p.separation:.2f}" for p in suspects.one_person
        ],
        "names that sound like two people": [
            f"{p.first}: separation {p.separation:.2f}, the smaller group sounds like {p.second}"
            for p in suspects.two_people
        ],
    }
    for title, entries in lines.items():
        console.print(f"\n{title}: {len(entries) or 'none'}")
        for line in entries[:MOST]:
            console.print(f"  {printable(line)}")
        if len(entries) > MOST:
            console.print(f"  and {len(entries) - MOST} more")


def _print_split(console: Console, split: str, described: Mapping[str, Any]) -> None:
    samples, shards, speakers = (counted(described[f"{noun}s"], noun) for noun in ("sample", "shard", "speaker"))
    sound = length(3600 * described["hours"])
    console.print(f"\n{printable(split)}: {samples} in {shards}, {sound}, {speakers}, {described['aligned']} aligned")
    if not described["samples"]:
        return
    by_rate = described["samples_by_sample_rate"].items()
    rates = ", ".join(f"{rate} Hz ({counted(count, 'sample')})" for rate, count in by_rate)
    console.print(f"sample rates: {rates}")
    for title in ("speaker", "source", "license"):
        hours = described[f"hours_by_{title}"]
        named = ", ".join(f"{printable(name)} {length(3600 * value)}" for name, value in list(hours.items())[:MOST])
        console.print(f"{title}: {named}" + (f" and {len(hours) - MOST} more" if len(hours) > MOST else ""))
    table = Table("", *SHARES, box=None)
    rows = {
        "seconds": described["duration_s"],
        "minutes a speaker": described["minutes_by_speaker"],
        **described["scores"],
    }
    for name, values in rows.items():
        table.add_row(printable(name), *(f"{value:g}" for value in values.values()))
    console.print(table)
