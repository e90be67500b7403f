"""Numbers and names as messages show them: a count with its noun, a length of sound in a fitting unit, a name."""


def counted(count: int, noun: str) -> str:
    """``count`` with ``noun``, such as "1 sample" or "2 samples"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def length(seconds: float) -> str:
    """A length of sound in seconds ("4.2 s"), from a minute in minutes ("12.3 min"), from an hour in hours ("2.50 h")."""
    for unit, size, digits in (("s", 1, 1), ("min", 60, 1)):
        if round(seconds / size, digits) < 60:
            return f"{seconds / size:.{digits}f} {unit}"
    return f"{seconds / 3600:.2f} h"


def cut(text: str, most_bytes: int) -> str:
    """The beginning of ``text`` that fits into so many bytes of UTF-8, cut between two characters."""
    return text.encode("utf-8", "replace")[:most_bytes].decode("utf-8", "ignore")


def printable(text: str) -> str:
    """``text`` on one line, without what text files and tags cannot hold: a file's name may have any byte."""
    whole = text.encode("utf-8", "replace").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in whole).split())
