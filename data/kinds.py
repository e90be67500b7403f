"""Finds the kind of build that a command line means: ``labelled``, ``synthetic`` or ``raw``.

The command line may name the kind, such as ``build raw SRC``. In ``build SRC``, which is older, the options and the
names of the sources show the kind. An option of another kind would have no effect, so it is refused.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import typer
import typer.core

from triforce_tts.errors import ShardError

from .options import folder_or_file

LABELLED, SYNTHETIC, RAW = "labelled", "synthetic", "raw"
KINDS = {
    LABELLED: "labelled recordings",
    SYNTHETIC: "a synthesiser",
    RAW: "raw recordings",
}
_TEXTS = "--synthetic"  # this option gives the texts if the command line names no kind
_HELP = ("--help",)
_ADVICE = {  # advice for an option of another kind, if the command line names no kind
    LABELLED: "it is for labelled recordings",
    SYNTHETIC: "they are for a synthesiser: give --synthetic TEXTS, or --engine babble",
    RAW: "they are for raw recordings: give --config podcast too",
}


@dataclass(frozen=True)
class Words:
    """The parts of a command line: its options with their values, and the other words."""

    options: Mapping[str, str]
    others: tuple[str, ...]

    @staticmethod
    def of(words: Sequence[str], with_value: set[str]) -> "Words":
        """Divide ``words``; the value of an option in ``with_value`` is the next word, or the text after its ``=``."""
        options: dict[str, str] = {}
        others: list[str] = []
        left = list(words)
        while left:
            word = left.pop(0)
            if word == "--":
                others += left
                break
            if word.startswith("-") and word != "-":
                name, equals, value = word.partition("=")
                if name in with_value and not equals and left:
                    value = left.pop(0)
                options[name] = value
            else:
                others.append(word)
        return Words(options, tuple(others))


class KindGroup(typer.core.TyperGroup):
    """The command group ``build``: if the command line names no kind, the group chooses it."""

    chosen: ClassVar[str | None] = None  # the kind that the group chose; None if the command line names it

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words after the kind is put in front of them."""
        if not args or args[0] not in _HELP:
            words = list(args)
            args = with_kind(words, {kind: _options_of(self.commands[kind]) for kind in KINDS})
            KindGroup.chosen = args[0] if words and args != words else None
        rest: list[str] = super().parse_args(ctx, args)
        return rest


def _options_of(command: Any) -> dict[str, bool]:
    """The names of a command's options, and whether each takes a value."""
    return {
        name: not getattr(parameter, "is_flag", False)
        for parameter in command.params
        if parameter.param_type_name == "option"
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


def with_kind(args: Sequence[str], tables: Mapping[str, Mapping[str, bool]]) -> list[str]:
    """``args`` with the kind of build as their first word; ``tables`` has the options of each kind.

    Raises:
        ShardError: an option belongs to another kind, or both sources and a synthesiser are given.
    """
    with_value = {name for table in tables.values() for name, has_value in table.items() if has_value} | {_TEXTS}
    if args and args[0] in KINDS and not _is_source(args, Words.of(args[1:], with_value)):
        kind = args[0]
        words = Words.of(args[1:], with_value)
        for other, foreign in _foreign(kind, words, tables).items():
            raise ShardError(f"{', '.join(foreign)}: 'build {other}' has it, 'build {kind}' does not; leave it out")
        return list(args)
    with_texts = _texts_as_argument(args)
    words = Words.of(args, with_value)
    kind = detect(words)
    if kind == SYNTHETIC and words.others:
        raise ShardError("give either sources or a synthesiser (--synthetic, --engine), not both")
    for other, foreign in _foreign(kind, words, tables).items():
        reason = "it cannot go together with --config, which is for raw recordings" if kind == RAW else _ADVICE[other]
        raise ShardError(f"{', '.join(foreign)}: {reason}")
    return [kind, *with_texts]


def announcement() -> str:
    """A line that names the kind if the group chose it; empty if the command line names it."""
    kind = KindGroup.chosen
    return f"builds from {KINDS[kind]}, as 'triforce-tts build {kind}' does" if kind else ""


def detect(words: Words) -> str:
    """The kind of build that the options and the sources show."""
    if "--config" in words.options:
        return RAW
    if {_TEXTS, "--engine"} & set(words.options):
        return SYNTHETIC
    from .raw.find import is_raw

    return RAW if any(map(is_raw, words.others)) else LABELLED


def _is_source(args: Sequence[str], rest: Words) -> bool:
    """Whether the first word, which is the name of a kind, means a folder here.

    It does if the folder exists, no other source is given, and no option makes a source unnecessary.
    """
    needs_none = {"--engine", *_HELP} & set(rest.options) or rest.options.get("--only") in ("process", "assemble")
    return not rest.others and not needs_none and os.path.lexists(Path(args[0]))


def _foreign(kind: str, words: Words, tables: Mapping[str, Mapping[str, bool]]) -> dict[str, list[str]]:
    """The options on the command line that ``kind`` does not have, grouped by the kind that has them."""
    table = {**{other: set(names) for other, names in tables.items()}}
    table[SYNTHETIC] |= {_TEXTS}
    foreign: dict[str, list[str]] = {}
    for name in words.options:
        if name not in tables[kind] and not (name == _TEXTS and kind == SYNTHETIC):
            for other in KINDS:
                if name in table[other]:
                    foreign.setdefault(other, []).append(name)
                    break
    return foreign


def _texts_as_argument(args: Sequence[str]) -> list[str]:
    """``args`` without ``--synthetic``: the value of the option becomes an argument."""
    left: list[str] = list(args)
    result: list[str] = []
    while left:
        word = left.pop(0)
        if word == "--":
            return [*result, word, *left]
        if word == _TEXTS and left:
            result.append(_as_path(left.pop(0)))
        elif word.startswith(f"{_TEXTS}="):
            result.append(_as_path(word.partition("=")[2]))
        else:
            result.append(word)
    return result


def _as_path(name: str) -> str:
    folder_or_file(name)
    return f"./{name}" if name.startswith("-") else name
