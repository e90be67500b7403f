"""The output of ``narrate`` for its user: the chapters, the plan, and the result."""

from collections import Counter
from typing import TYPE_CHECKING

import typer

from triforce_tts.wording import counted, length, printable

if TYPE_CHECKING:
    from triforce_tts.books.chapters import ChapterBook
    from triforce_tts.narrator.narrate import Outcome
    from triforce_tts.narrator.order import Order
    from triforce_tts.narrator.plan import Plan
    from triforce_tts.narrator.speaking import Studio

_NAMED = 20  # the last message names at most so many lines
_EXCERPT = 60  # so many characters of a skipped text are shown


def print_chapters(book: "ChapterBook", selection: str | None = None) -> None:
    """Print the number, the words and the title of each chapter, or of those that ``selection`` names.

    Raises:
        TextError: ``selection`` names a chapter that the book does not have.
    """
    from triforce_tts.narrator.selection import choose_chapters

    for number in choose_chapters(selection, len(book.chapters)):
        chapter = book.chapters[number - 1]
        front = "  (front matter)" if chapter.front else ""
        typer.echo(f"{number:4d}  {chapter.words:7d} words  {printable(chapter.title)}{front}")
    print_remarks(book)


def print_remarks(book: "ChapterBook") -> None:
    """Print what the reader of the book left out or decided, a line each, on standard error."""
    for remark in book.remarks:
        typer.echo(printable(remark), err=True)


def print_plan(order: "Order", book: "ChapterBook", studio: "Studio") -> None:
    """Print what would be spoken, what would not be spoken, and the length of the narration."""
    from triforce_tts.narrator.narrate import plan_order
    from triforce_tts.narrator.order import chosen_cover

    plan, _ = plan_order(order, book, studio)
    _, remark = chosen_cover(order, book)
    for chapter in plan.parts:
        typer.echo(
            f"{chapter.number:4d}  {chapter.words:7d} words  {counted(len(chapter.lines), 'line'):>10}  {chapter.title}"
        )
    for told in (*plan.remarks, *((remark,) if remark else ())):
        typer.echo(told)
    _print_sums(plan)
    typer.echo(f"about {length(_expected_s(order, plan))} of speech")
    if order.cast is not None:
        _print_cast(plan)


def _expected_s(order: "Order", plan: "Plan") -> float:
    """The length of the narration, as far as the text and the lines that earlier runs have spoken say it."""
    from triforce_tts.narrator.estimate import expected_s
    from triforce_tts.narrator.lines import Lines

    lines = Lines(order.folder, {})
    records = {line.key: record for line in plan.lines if (record := lines.record(line.key))}
    return expected_s(plan, records, order.profile)


def _print_cast(plan: "Plan") -> None:
    """Print the number of lines of each voice, and their speakers."""
    voices: dict[str, Counter[str]] = {"": Counter()}
    for line in plan.lines:
        voices.setdefault(line.voice, Counter())[line.speaker or "the narrator"] += 1
    for voice, speakers in voices.items():
        whose = ", ".join(f"{name} {count}" for name, count in speakers.most_common())
        name = printable(voice or plan.voice)
        by = f"the voice '{name}'" if name else "the model's own voice"
        typer.echo(f"{counted(sum(speakers.values()), 'line')} by {by}: {whose or 'none'}")


def _print_sums(plan: "Plan") -> None:
    typer.echo(
        f"{plan.spoken_words} words are spoken, each once and in order, in {counted(sum(len(c.lines) for c in plan.chosen), 'line')}"
    )
    if plan.credit_words:
        typer.echo(f"{counted(plan.credit_words, 'word')} of credits")
    for reason, words in sorted(plan.skipped_words.items()):
        first = next((part.text for part in plan.skipped if part.reason == reason), "")
        shown = " ".join(first.split())
        shown = f"{shown[:_EXCERPT].rstrip()} ..." if len(shown) > _EXCERPT else shown
        typer.echo(f"{counted(words, 'word')} skipped: {reason}{f', such as {shown!r}' if shown else ''}")
    if plan.skipped_signs:
        typer.echo(f"signs skipped, because English has no reading of them: {plan.skipped_signs}")


def print_outcome(order: "Order", outcome: "Outcome") -> None:
    """Print the files that were written, and the lines that a user should listen to."""
    for written in outcome.files:
        sound = written.loudness
        typer.echo(
            f"{written.path}: {counted(written.chapters or 1, 'chapter')}, {length(sound.seconds)}, {sound.lufs:.1f} LUFS",
            err=True,
        )
        for result in written.results:
            if not result.passed:
                typer.echo(f"{written.path}: {result.name} {result.value}, expected {result.demand}", err=True)
    numbers = [str(line.number) for line in outcome.flagged]
    more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
    named = f" ({', '.join(numbers[:_NAMED])}{more})" if numbers else ""
    typer.echo(
        f"{counted(len(numbers), 'line')} of {len(outcome.plan.lines)} to listen to{named}; see {order.folder / 'report.html'}",
        err=True,
    )
