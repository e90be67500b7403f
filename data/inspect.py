"""``triforce-tts inspect``: what is in folders of shards, of audio or of codes."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from triforce_tts.errors import ShardError
from triforce_tts.samples import LONGEST_S, Described, faults_of
from triforce_tts.shards import ShardSet, read_index
from triforce_tts.text import alignment

from .common.names import printable
from .options import folder_or_file
from .report.distribution import Distribution

MOST = 10  # speakers, sources and licences that are listed
SHARES = {"min": 0.0, "q1": 0.25, "median": 0.5, "q3": 0.75, "max": 1.0}
NOT_SCORES = ("duration_s", "sample_rate", "start_s", "end_s")  # numbers of a sample's JSON that judge nothing


@dataclass
class Contents:
    """What the samples of one or more splits say of themselves; seconds are of sound."""

    samples: int = 0
    seconds: float = 0.0
    aligned: int = 0
    speakers: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # seconds
    sources: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # seconds
    licenses: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))  # seconds
    sample_rates: Counter[str] = field(default_factory=Counter)  # samples
    durations: Distribution = field(default_factory=Distribution)
    scores: defaultdict[str, Distribution] = field(default_factory=lambda: defaultdict(Distribution))

    def add(self, meta: Mapping[str, Any]) -> None:
        """Count a sample by its JSON.

        Raises:
            ShardError: a field has another type than it should, or the length is none.
        """
        if faults := faults_of(dict(meta), Described):
            raise ShardError("; ".join(faults))
        seconds = meta["duration_s"]
        if not 0 < seconds <= LONGEST_S:
            raise ShardError(f"it lasts {seconds} s, expected a length")
        self.samples += 1
        self.seconds += seconds
        self.aligned += meta.get(alignment.KEY) is not None
        for table, name in ((self.speakers, "speaker"), (self.sources, "source"), (self.licenses, "license")):
            table[str(meta.get(name, "unknown"))] += seconds
        self.sample_rates[str(meta.get("sample_rate", "unknown"))] += 1
        self.durations.add(seconds)
        for name, value in meta.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool) and name not in NOT_SCORES:
                self.scores[name].add(value)

    def described(self) -> dict[str, Any]:
        """As JSON: hours by name, the largest first; quartiles hold three significant digits."""
        by_speaker = Distribution()
        for seconds in self.speakers.values():
            by_speaker.add(seconds / 60)
        return {
            "samples": self.samples,
            "hours": round(self.seconds / 3600, 4),
            "aligned": self.aligned,
            "speakers": len(self.speakers),
            "minutes_by_speaker": quartiles(by_speaker),
            "hours_by_speaker": _hours(self.speakers),
            "hours_by_source": _hours(self.sources),
            "hours_by_license": _hours(self.licenses),
            "samples_by_sample_rate": dict(sorted(self.sample_rates.items())),
            "duration_s": quartiles(self.durations),
            "scores": {name: quartiles(spread) for name, spread in sorted(self.scores.items())},
        }


def inspect(folders: Iterable[Path], console: Console | None = None) -> dict[str, Any]:
    """What is in ``folders``: for each its kind, details and splits, and for each split ``Contents.described``.

    Raises:
        ShardError: a folder is missing or no folder of shards, or a shard is missing or damaged.
    """
    found: dict[str, Any] = {}
    for folder in folders:
        index = read_index(folder)
        splits = {}
        for split in index["splits"]:
            shards, contents = ShardSet.open([folder], split, index["kind"]), Contents()
            for number in track(range(len(shards)), f"{folder}: {split}", console=console, transient=True):
                try:
                    contents.add(shards.meta(number))
                except (ShardError, ValueError, OverflowError, RecursionError) as error:
                    told = f"{folder}: sample '{shards.keys[number]}' of '{split}' cannot be read ({error})"
                    raise ShardError(f"{told}; 'triforce-tts verify' says what else is wrong") from error
            splits[split] = {"shards": len(index["splits"][split]["shards"]), **contents.described()}
        found[str(folder)] = {"kind": index["kind"], "details": index["details"], "splits": splits}
    return found


def quartiles(spread: Distribution) -> dict[str, float]:
    """The least, the quartiles and the largest by name; empty without values."""
    return dict(zip(SHARES, spread.quantiles(list(SHARES.values())), strict=True)) if len(spread) else {}


def _hours(table: Mapping[str, float]) -> dict[str, float]:
    return {name: round(s / 3600, 4) for name, s in sorted(table.items(), key=lambda item: (-item[1], item[0]))}


def command(
    shards: Annotated[
        list[Path],
        typer.Argument(parser=folder_or_file, metavar="SHARDS...", help="Folders of shards, of audio or codes."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,
) -> None:
    """Say what is in shards: hours, speakers, licences, sources, lengths, scores, for each split."""
    found = inspect(shards, Console(stderr=True))
    if as_json:
        # Half a character of an index becomes an escape, which is JSON too.
        print(json.dumps(found, indent=1, ensure_ascii=False).encode("utf-8", "backslashreplace").decode())
        return
    console = Console(soft_wrap=True, highlight=False, markup=False)
    for folder, content in found.items():
        console.print(f"{printable(folder)}: {content['kind']}")
        for split, told in content["splits"].items():
            _print_split(console, split, told)


def _print_split(console: Console, split: str, told: Mapping[str, Any]) -> None:
    console.print(
        f"\n{printable(split)}: {told['samples']} samples in {told['shards']} shards, {told['hours']:.2f} h, "
        f"{told['speakers']} speakers, {told['aligned']} aligned"
    )
    if not told["samples"]:
        return
    rates = ", ".join(f"{rate} Hz ({count} samples)" for rate, count in told["samples_by_sample_rate"].items())
    console.print(f"sample rates: {rates}")
    for title in ("speaker", "source", "license"):
        hours = told[f"hours_by_{title}"]
        named = ", ".join(f"{printable(name)} {value:.2f} h" for name, value in list(hours.items())[:MOST])
        console.print(f"{title}: {named}" + (f" and {len(hours) - MOST} more" if len(hours) > MOST else ""))
    table = Table("", *SHARES, box=None)
    rows = {"seconds": told["duration_s"], "minutes a speaker": told["minutes_by_speaker"], **told["scores"]}
    for name, values in rows.items():
        table.add_row(printable(name), *(f"{value:g}" for value in values.values()))
    console.print(table)
