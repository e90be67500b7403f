"""The command ``speak --lines``, which speaks a list of texts into a folder of files."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from triforce_tts import bounds
from triforce_tts.errors import TextError
from triforce_tts.wording import counted, length

if TYPE_CHECKING:
    from collections.abc import Callable

    from triforce_tts.crew import Place
    from triforce_tts.line_files import FileRecord, Order, Reader
    from triforce_tts.line_list import ListedText
    from triforce_tts.narrator.progress import Shown


@dataclass(frozen=True)
class ListOrder:
    """The user's order for a list."""

    source: Path
    folder: Path
    suffix: str  # the suffix of the files, which names their format
    seed: int
    device: str
    processes: int
    ray: str | None
    shown: "Shown"
    quiet: bool


def speak_lines(order: ListOrder, open_reader: "Callable[..., Reader]", sources: Sequence[Path | None]) -> None:
    """Speak each line of a list into a file of its own.

    Args:
        order: the user's order.
        open_reader: opens the model with its voice, on a device; with ``quiet`` it prints nothing.
        sources: files that must not be overwritten.

    Raises:
        TextError: a line cannot be spoken; all other lines were spoken.
    """
    from triforce_tts.audio.io import WRITTEN
    from triforce_tts.crew import launched
    from triforce_tts.files import refuse_sources, require_own, working_folder
    from triforce_tts.line_list import read_list, without_faults

    bounds.one_of("--format", order.suffix, WRITTEN)
    refuse_sources(order.folder, [order.source, *(path for path in sources if path is not None)])
    require_own(order.folder, "lines")
    listed, wrong = read_list(order.source)
    place = launched(order.device, order.processes, order.ray)
    reader = open_reader(place.device or order.device, quiet=order.quiet or not place.is_main)
    texts = without_faults(listed, wrong, reader.synthesizer.prepare)
    faults = [f"{order.source}, line {number}: {wrong[number]}" for number in sorted(wrong)]
    if place.is_main:
        for fault in faults:
            typer.echo(fault, err=True)
    if texts and not place.is_main:
        place.meet()
        help_with_list(lambda device: reader, "", texts, order.folder, order.suffix, order.seed)
    elif texts:
        with working_folder(order.folder, "lines", [order.source]) as folder:
            speech = _speak(order, partial(open_reader, quiet=True), reader, texts, folder, place)
        faults += _tell(order, speech)
    place.leave()
    if faults and place.is_main:
        raise TextError(
            f"{order.source}: {counted(len(faults), 'line')} cannot be spoken, all others lie in {order.folder}; "
            "mend them and start the command again"
        )


def help_with_list(
    open_reader: "Callable[[str], Reader]", device: str, texts: "list[ListedText]", folder: Path, suffix: str, seed: int
) -> None:
    """Speak texts of a list until all are spoken, beside the process that reads the list."""
    from triforce_tts.line_files import make_orders

    reader = open_reader(device)
    _speak_beside(reader, make_orders(reader, texts, folder, suffix, seed), folder)


def _speak_beside(reader: "Reader", orders: "Sequence[Order]", folder: Path) -> None:
    """Speak texts of a list until all are spoken."""
    from triforce_tts.line_files import speak_orders

    for _ in speak_orders(reader, orders, folder):
        pass


def _speak(
    order: ListOrder, alike: "Callable[..., Reader]", reader: "Reader", texts: "list[ListedText]", folder: Path,
    place: "Place",
) -> "list[tuple[Order, FileRecord]]":  # fmt: skip
    from triforce_tts.crew import helping
    from triforce_tts.line_files import make_orders, record_of, speak_list
    from triforce_tts.narrator.progress import show

    orders = make_orders(reader, texts, folder, order.suffix, order.seed)
    place.meet()
    device = str(reader.synthesizer.model.device)
    missing = sum(record_of(one) is None for one in orders)
    crew = helping(
        order.processes if place.count == 1 else 1, order.ray, missing, device, partial(_speak_beside, reader, orders, folder),
        help_with_list, lambda device: (alike, device, texts, folder, order.suffix, order.seed),
    )  # fmt: skip
    with show(order.shown) as progress, crew as helpers:
        records = speak_list(reader, orders, folder, progress)
    for loss in helpers.losses:
        typer.echo(loss, err=True)
    return [(one, records[one.name]) for one in orders]


def _tell(order: ListOrder, speech: "list[tuple[Order, FileRecord]]") -> list[str]:
    """Print the faults and the files that were made; returns the lines that have no sound at all."""
    from triforce_tts.line_files import MANIFEST

    for one, record in speech:
        for fault in record.faults:
            typer.echo(f"{one.name}: {fault}", err=True)
    silent = [f"{one.name}: there is no sound, so no file was written" for one, record in speech if not record.sha256]
    for fault in silent:
        typer.echo(fault, err=True)
    if not order.quiet:
        seconds = sum(record.seconds for _, record in speech)
        incomplete = sum(not record.complete for _, record in speech)
        typer.echo(
            f"{order.folder / MANIFEST}: {counted(len(speech), 'line')}, {length(seconds)} of speech, {incomplete} incomplete",
            err=True,
        )
    return silent
