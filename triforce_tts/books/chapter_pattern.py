"""The pattern of a user for the lines of a text file that begin a chapter. It never goes without an effect in silence."""

import re
from collections.abc import Sequence

from triforce_tts.errors import TextError


def compiled(pattern: str | None) -> re.Pattern[str] | None:
    """The regular expression of the user, if there is one.

    Raises:
        TextError: it is none.
    """
    try:
        return re.compile(pattern) if pattern else None
    except re.error as error:
        raise TextError(
            f"the pattern for chapters {pattern!r} is no regular expression ({error}); give one such as '^CHAPTER'"
        ) from error


def pattern_remark(pattern: str | None, fits: bool | None) -> list[str]:
    """A remark if ``pattern`` begins no chapter; ``fits`` is None for a book in a format that has headings of its own."""
    if not compiled(pattern) or fits:
        return []
    if fits is None:
        return [
            f"{_named(pattern)} has no effect here: it divides text files, and this book has a format with headings."
        ]
    return [f"{_named(pattern)} fits no line, so it begins no chapter."]


def remarks_of_folder(pattern: str | None, remarks: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """The remarks of the files of a folder behind their names; those on ``pattern`` once, and only if no file has its lines."""
    own = [*pattern_remark(pattern, False), *pattern_remark(pattern, None)]
    others = [f"{name}: {remark}" for name, of_file in remarks for remark in of_file if remark not in own]
    is_unused = all(any(remark in own for remark in of_file) for _, of_file in remarks)
    told = {remark for _, of_file in remarks for remark in of_file}
    return [*others, *([remark for remark in own if remark in told][:1] if is_unused else [])]


def _named(pattern: str | None) -> str:
    return f"The pattern for chapters {pattern!r}"
