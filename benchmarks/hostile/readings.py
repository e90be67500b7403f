"""How texts are read aloud, compared with the right answers. Functions of the library are run as if they were commands."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from .case import Case, Check, Done
from .texts import TEXTS

KIND = "readings"
# the text, a pattern (in lower case) that its words must match, and one that they must not match
READINGS: tuple[tuple[str, str, str], ...] = (
    ("The end.12 The next one.", r"\bend\b", r"zero|point"), ("See the note.3 Then go.", r"\bnote\b.*\bthen\b", r"point|zero"), ("Section G.2", r"\bg\b (point|dot) two", "zero"),
    ("Figure B.11 shows", r"\bb\b (point|dot) (eleven|one one)", "zero"), ("v1.2.3", "version one (point|dot) two (point|dot) three", "zero"), ("v10.0.1", "version ten (point|dot) zero (point|dot) one", "twozero"),
    ("It costs A$5.", r"five (australian )?dollars", "afive"), ("It costs C$20.", r"twenty (canadian )?dollars", "ctwenty"), ("It costs US$7.", "seven", "sseven|usseven"),
    ("Take 10 µg daily.", "ten micrograms", "ten grams"), ("Take 10 μg daily.", "ten micrograms", "ten grams"), ("Wait 5 µs.", "five microseconds", "five seconds"), ("A 4 µm film", "four micro(meters|metres|ns|n)", "four meters"),
    ("5 ≠ 7", "not equal", "five equals"), ("x ≤ 3", "(at most|less than or equal)", ""), ("a < b", "less than", ""), ("x >= 4", "(at least|greater than or equal)", ""), ("y ≥ 9", "(at least|greater than or equal)", ""),
    ("3 > 2", "(greater|more) than", ""), ("x ≈ 5", "(approximately|about|roughly|nearly|almost)", ""), ("10⁶ cells", "ten to the (power of )?(sixth|six)", "hundred"), ("10⁻³", "ten to the (power of )?(minus|negative) (third|three)", "cubed"),
    ("2⁸ values", "two to the (power of )?(eighth|eight)", "twenty"), ("due π", r"\bpi\b", ""), ("5 kΩ", "five (kilo-?ohms|kilo ohms|k ohms)", ""), ("10 MΩ", "ten (mega-?ohms|mega ohms|megohms)", ""),
    ("Step ➀ then ③", r"\bone\b.*\bthree\b", ""), ("Item ⑤ of ⑩", r"five.*ten", ""), ("CHAPTER XIV", "chapter fourteen", "x i v"), ("WORLD WAR II ENDS", "world war two ends", ""), ("HENRY VIII", "henry the eighth", ""),
    ("LOUIS XIV SLEPT", "louis the fourteenth", ""), ("CO2 LEVELS", r"c\W*o\W*two levels", r"\bco\b"), ("THE NHS PLAN", r"n\W*h\W*s", r"\bnhs\b"), ("XIX century", "nineteenth century", "x i x"), ("the XXI century", "twenty-?\\s?first", "x x i"),
    ("Part 02, page 007", "part two,? page (seven|zero zero seven|double o seven)", "zero two"), ("24.12.2024", r"december.*(twenty\W*twenty\W*four|two thousand)", "point"), ("2016/07/03", r"july.*|.*july", "slash"),
    ("JAN 15 2020", "january fifteenth,? twenty twenty", ""), ("25 jul 2012", "july", ""), ("June 5-7", "june fifth to (the )?seventh", ""), ("Mon-Fri 9-5", "monday to friday,? nine to five", ""),
    ("from 20%-30%", "twenty (percent )?to thirty percent", "minus"), ("from 5%–10%", "five (percent )?to ten percent", "minus"), ("litres/day", "per day", "slash"), ("3 m³/hr", "cubic met(er|re)s per hour", "square"), ("9.8 m/s²", "per second squared", ""),
    ("£10/wk", "ten pounds (per|a) week", "slash"), ("60 km/h", "sixty kilomet(er|re)s (per|an) hour", ""), ("a $20 bill", "twenty dollar bill", "dollars"), ("a $5 million house", "five million dollar house", "dollars"), ("a £10 note", "ten pound note", "pounds"),
    ("Call 1300 555 019", "one three (zero|oh|o) (zero|oh|o)|thirteen hundred", "thousand"), ("012-232-45151", "(zero|oh|o) one two", "hundred|thousand|minus"), ("ZIP 90210", "nine (zero|oh|o) two one (zero|oh|o)", "thousand"),
    ("192.168.0.1", "(dot|point)", "comma|thousand"), ("Use 10.0.0.255 here", "(dot|point)", "thousand"), ("GU.cards", "dot cards", ""), ("node.js", "node dot", ""), ("Sunset Blvd", "boulevard", "blvd"), ("39.99 EUR", "euros?", r"\beur\b"),
    ("U.S.A", r"u\W*s\W*a", ""), ("don`t go", r"don't", r"\bdon t\b"), ("can´t go", "can't", r"\bcan t\b"), ("-5/18", "(minus|negative) five eighteenths", ""), ("3 5/2", "three and five halves", ""), ("2*8", "two times eight", ""),
    ("25:30", "twenty-?\\s?five", "to thirty"), ("She ran it in 25:30.", "twenty-?\\s?five", "to thirty"), ("1/0", "one", ""), ("1e999999999", "", ""), ("$1,234,567,890.12", "billion", ""), ("½ cup", "half", ""), ("No. 5", "five", ""),
    ("99.99%", "ninety-?\\s?nine point nine nine percent", ""), ("-40°C", "(minus|negative) forty degrees", ""), ("3rd of May", "third", ""), ("1st, 2nd", "first.*second", ""), ("1990s", "nineteen\\W*nineties", ""), ("Dr. Smith", "doctor smith", ""),
)  # fmt: skip
CHUNKS: tuple[tuple[str, int, str], ...] = (
    ("He said… then left.", 1, ""), ("Yan et al. [2004] analysed it.", 1, ""), ("Apple\nBanana\nOrange", 3, ""), ("He met J. R. R. Tolkien.", 1, ""), ('"Why?" he asked.', 1, ""), ("No.", 1, ""), ("Yes.", 1, ""),
    ("A", 1, ""), ("One. Two.", 2, ""), ("Chapter One\n\nIt was dark.", 2, ""), ("Hi! Go? Yes.", 3, ""), ("Dr. Smith came.", 1, ""), ("It cost $3.50 then.", 1, ""), ("See p. 5 there.", 1, ""), ("a\u2028b", 2, ""),
)  # fmt: skip


def normalize_command(words: list[str]) -> None:
    """Print the words in which a text is read aloud."""
    from triforce_tts.errors import TriforceError
    from triforce_tts.text.normalize import normalize

    try:
        print(normalize(words[0]))
    except TriforceError as error:
        _refuse(error)


def chunk_command(words: list[str]) -> None:
    """Print the chunks of a text, one a line; together they must be the whole text."""
    from triforce_tts.text.chunk import split_sentences

    chunks = split_sentences(words[0])
    if "".join(chunk.source for chunk in chunks) != words[0]:
        print("LOST")
    for chunk in chunks:
        print(ascii(chunk.text))


def book_command(words: list[str]) -> None:
    """Print the words of a book."""
    from triforce_tts.books.book import read_book
    from triforce_tts.errors import TriforceError

    try:
        print(" ".join(read_book(Path(words[0])).words)[:5000])
    except TriforceError as error:
        _refuse(error)


def _refuse(error: Exception) -> None:
    print(f"triforce-tts: {' '.join(str(error).split())}", file=sys.stderr)
    sys.exit(2)


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "(normalize)": normalize_command,
    "(chunk)": chunk_command,
    "(book)": book_command,
}


def _reads(pattern: str, forbidden: str) -> Check:
    def check(folder: Path, done: Done) -> str:
        reading = done.out.strip().lower()
        if pattern and not re.search(pattern, reading):
            return f"read as '{reading[:120]}', expected '{pattern}'"
        if forbidden and re.search(forbidden, reading):
            return f"read as '{reading[:120]}', which holds '{forbidden}'"
        return ""

    return check


def _are_words(folder: Path, done: Done) -> str:
    strange = re.findall(r"[0-9<>=\\/|_#@$%^&*~\x00-\x08]", re.sub(r"\{[^{}]*\}", "", done.out))
    return f"signs are left in '{done.out.strip()[:80]}': {sorted(set(strange))}" if strange else ""


def _chunks(count: int) -> Check:
    def check(folder: Path, done: Done) -> str:
        lines = done.out.strip().splitlines()
        return "" if len(lines) == count and "LOST" not in lines else f"{len(lines)} chunks, expected {count}: {lines}"

    return check


def _keeps_all(folder: Path, done: Done) -> str:
    return "the chunks are not the text" if "LOST" in done.out.splitlines() else ""


def cases() -> Iterator[Case]:
    """Texts whose right reading is known, and properties that hold for all texts."""
    for number, (text, pattern, forbidden) in enumerate(READINGS):
        yield Case(
            f"(normalize)/readings/{number:02}-{text[:25]!a}",
            KIND,
            ("(normalize)", text),
            check=_reads(pattern, forbidden),
            expect="ran" if pattern else "either",
        )
    for text, count, _ in CHUNKS:
        yield Case(f"(chunk)/readings/{text[:25]!a}", KIND, ("(chunk)", text), check=_chunks(count), expect="ran")
    for label, text in TEXTS.items():
        yield Case(f"(normalize)/readings/text={label}", KIND, ("(normalize)", text), check=_are_words)
        yield Case(f"(chunk)/readings/text={label}", KIND, ("(chunk)", text), check=_keeps_all, expect="ran")
