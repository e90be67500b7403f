"""What became of a case: its exit code, what it said, and what it did to the files around it."""

import hashlib
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from .case import Case, Done

PROGRAM = "triforce-tts: "
_TEMPORARY = re.compile(r"^\..+\.(tmp|old|part)(\.\w+)?$|^tmp[a-z0-9_]{8}$|\.tmp$")
# Lines in which commands report their progress before an error. The notes of libraries are not allowed.
_PROGRESS = re.compile(
    r"[━╸╺]|^builds from |^(found )?\d+ recordings?[,; ]|^ *$|^fetching |^\S+: coded;|\d% |^incomplete |^ *not used: |^first loss |^the data holds |"
    r"^(dvae|gpt|diffusion|distill|overfit)\b"
)
Tree = dict[str, tuple[int, int, str]]


def tree(folder: Path) -> Tree:
    """What is below ``folder``: kind, size, and content or link target of every entry."""
    entries: Tree = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(place, name)  # noqa: PTH118 - names may hold any byte
            status = os.lstat(path)
            content = ""
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)  # noqa: PTH115
            elif stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:  # noqa: PTH123
                    content = hashlib.sha1(file.read()).hexdigest()
            size = 0 if stat.S_ISDIR(status.st_mode) else status.st_size
            entries[os.path.relpath(path, folder)] = (stat.S_IFMT(status.st_mode), size, content)
    return entries


def _is_under(name: str, tops: Sequence[str]) -> bool:
    return any(name == top or name.startswith(f"{top}/") for top in tops)


def changes(before: Tree, after: Tree, writes: Sequence[str]) -> tuple[str, str]:
    """The first entry that was lost or changed, and the first new one that was left behind.

    ``writes`` names exceptions.
    """
    lost = left = ""
    for name, entry in before.items():
        if not _is_under(name, writes) and after.get(name) != entry:
            lost = lost or (f"{name!r} changed" if name in after else f"{name!r} is gone")
    for name in after:
        if name not in before and (_TEMPORARY.search(os.path.basename(name)) or not _is_under(name, writes)):  # noqa: PTH119
            left = left or f"{name!r} was left"
    return lost, left


def judge(case: Case, done: Done, folder: Path, attempts: str, lost: str, left: str) -> tuple[str, str]:
    """The verdict on a case that has ended, and the line that explains it; the worst finding decides."""
    lines = [line for line in done.err.splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if not _PROGRESS.search(line)), lines[-1] if lines else "")
    if lost:
        return "lost", lost
    if "Traceback (most recent call last)" in done.err or "Traceback (most recent call last)" in done.out:
        place = re.findall(r'File ".*?/((?:triforce_tts|stages|data|benchmarks)/[\w/]+\.py)", line (\d+)', done.err)
        where = f"{place[-1][0]}:{place[-1][1]}: " if place else ""
        return "traceback", where + last
    if done.code < 0 and (case.signal is None or -done.code != case.signal[1]):
        return "crash", f"signal {-done.code}; {last}"
    if attempts and not case.network:
        return "network", attempts.splitlines()[0]
    if left:
        return "left", f"{left}; {last}"
    if done.code == 0 or done.code < 0:
        wrong = case.check(folder, done) if case.check is not None else ""
        if case.expect == "refused":
            wrong = wrong or "it ran, and had to be refused"
        return ("wrong", wrong) if wrong else ("ran", last)
    if done.code not in case.codes:
        return "untidy", f"exit code {done.code}; {last}"
    return _judge_refusal(case, done, lines)


def _judge_refusal(case: Case, done: Done, lines: list[str]) -> tuple[str, str]:
    messages = [line for line in lines if line.startswith(PROGRAM)]
    other = [line for line in lines if not line.startswith(PROGRAM) and not _PROGRESS.search(line)]
    is_help = (
        done.err.startswith("Usage: ") and "Commands:" in done.err
    )  # A group of commands shows its help where the sub-command is missing.
    if done.code == 1 or 2 in case.closed or is_help:
        return "refused", (messages or done.out.splitlines() or [""])[0]
    if len(messages) != 1 or other:
        return "untidy", f"{len(messages)} messages, {len(other)} other lines; {(other or messages or [''])[0]}"
    if case.expect == "ran":
        return "wrong", f"it had to run, and was refused: {messages[0]}"
    return "refused", messages[0]
