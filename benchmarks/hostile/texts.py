"""Texts to speak and to score, lexicons, and lists of sentences."""

from collections.abc import Callable, Iterator

from .case import Case, written
from .checks import sounds
from .words import PARTS, SCORE, SPEAK

KIND = "texts"
TEXTS = {
    "empty": "", "spaces": " \n\t ", "emoji": "😀 🎉", "emoji-and-word": "hi 😀", "one-letter": "A", "digit": "5", "yes": "Yes.", "no": "No.", "why": '"Why?" he asked.',
    "control": "a\x00b\x07c\x1b[31m", "controls-alone": "\x00\x01\x02", "bom": "\ufeffhello", "zero-width": "a\u200bb\u200d\u2060c", "right-to-left": "\u202eolleh\u202c",
    "combining": "e" + "\u0301" * 2000, "zalgo": "h\u0336\u0321e\u0338\u0322y", "no-space": "x" * 5_000, "no-space-100k": "x" * 100_000, "no-vowels": "b" * 300, "digits-1000": "7" * 1000,
    "digits-100k": "7" * 100_000, "spaces-100k": "a" + " " * 100_000 + "b", "newlines": "a\n" * 3000, "dots": "." * 5_000, "dots-and-word": "." * 2_000 + " a", "quotes": '"' * 3000 + "a",
    "brackets": "(" * 3000 + "a" + ")" * 3000, "braces": "{" * 500, "braces-closed": "{}" * 200, "brace-empty": "{}", "brace-unknown": "{XX YY}", "brace-open": "{T AH0 a cat", "brace-nested": "{{T AH0}}",
    "brace-good": "{T AH0 M EY1 T OW0}", "brace-long": "{" + "AH0 " * 3000 + "}", "brace-lower": "{t ah0}", "brace-digits": "{AH9}", "brace-close-only": "a } b", "phonemes-many": "{AH0} " * 300,
    "chinese": "你好世界", "arabic": "مرحبا", "mixed": "hello 你好 мир", "latin-1": "café naïve œuvre", "math": "∑∫√∞≠≤", "currency": "€£¥₹₿", "dashes": "-" * 1000 + "a", "tags": "<b>bold</b> &amp; &#x41;",
    "ssml": "<speak><break time='99999s'/></speak>", "url": "https://example.org/" + "a/" * 500, "email": "a@b.c " * 50, "slashes": "a/b/c/" * 200, "caps": "AAAA " * 100, "acronyms": "NASA FBI " * 100,
    "money": "$1,234,567,890.12 " * 8, "ips": "192.168.0.1 " * 12, "dates": "24.12.2024 " * 20, "big-number": "1" + "0" * 400, "exponent": "1e999999999", "fraction": "1/0", "minus": "-" * 3 + "1", "roman": "M" * 500,
    "percent": "%s%n%x" * 50, "backslashes": "\\" * 100 + "a", "quote-mix": "don`t can´t won’t", "ellipsis": "…" * 500 + "a", "private-use": "\ue000\uf8ff", "noncharacter": "\uffff\ufffe", "tab": "a\tb\vc\fd",
    "line-separators": "a\u2028b\u2029c\x85d", "long-words": ("supercalifragilistic" * 10 + " ") * 2, "one-sentence-no-stop": "word " * 60, "20k": "a " * 10_001, "19k-of-nothing": "! " * 9_000,
    "letters-spaced": "a b c d " * 30, "abbreviations": "Dr. Mr. Mrs. St. " * 20, "phone": "012-232-45151 " * 10, "superscripts": "10⁶⁶⁶⁶⁶⁶", "vulgar": "½⅓¾" * 20, "circled": "➀③⑳" * 10, "fullwidth": "ＨＥＬＬＯ １２３",
}  # fmt: skip
# These texts must be refused. SPOKEN ones must be spoken. All others may be spoken, or refused in one line.
SILENT = (
    "empty",
    "spaces",
    "emoji",
    "controls-alone",
    "20k",
    "no-space-100k",
    "digits-100k",
    "braces",
    "braces-closed",
    "brace-empty",
    "brace-unknown",
    "brace-open",
    "brace-digits",
)
SPOKEN = ("one-letter", "digit", "yes", "no", "why", "bom", "emoji-and-word", "brace-good", "latin-1", "money", "ips", "quote-mix", "zero-width", "dots-and-word", "one-sentence-no-stop",
          "letters-spaced", "tab", "fullwidth", "line-separators", "vulgar", "phone")  # fmt: skip
LEXICONS: dict[str, bytes | Callable[[], bytes]] = {
    "no-phonemes": b"cat\n", "unknown-phoneme": b"cat  XX\n", "not-utf8": b"caf\xe9  K AE1\n", "bom": b"\xef\xbb\xbfcat  K AE1 T\n", "crlf": b"cat  K AE1 T\r\n", "comment": b"# mine\ncat  K AE1 T\n",
    "blank": b"\n \n", "tabs": b"cat\tK AE1 T\n", "twice": b"cat  K AE1 T\ncat  D AO1 G\n", "nul": b"cat\0  K AE1 T\n", "huge-line": b"cat  " + b"K " * 200_000 + b"\n", "many": b"".join(b"w%d  K AE1 T\n" % n for n in range(50_000)),
    "big": lambda: b"cat  K AE1 T\n" * 6_000_000, "stress": b"cat  K AE7 T\n", "lower": b"cat  k ae1 t\n", "only-phonemes": b"  K AE1 T\n", "symbols": b"!?  K AE1 T\n", "spaces-in-word": b"two words  K AE1 T\n",
    "json": b'{"cat": "K AE1 T"}\n', "utf16": "cat  K AE1 T\n".encode("utf-16"), "unicode": "café  K AE1 T\n".encode(), "line-separator": "cat  K AE1 T\u2028dog  D AO1 G\n".encode(),
}  # fmt: skip
SENTENCES: dict[str, bytes] = {
    "latin-1": b"caf\xe9 au lait\n", "utf16": "a cat sat here\n".encode("utf-16"), "nul": b"a\0cat sat\n", "blank": b"\n\n  \n", "emoji": "😀\n🎉\n".encode(), "long-line": b"word " * 20_000 + b"\n",
    "no-space": b"x" * 100_000, "crlf": b"a cat sat\r\nthe mat\r\n", "bom": b"\xef\xbb\xbfa cat sat\n", "same": b"a cat sat\n" * 50, "line-separators": "a cat\u2028sat on\x85it\n".encode(), "unspeakable": b"... --- ...\n",
    "numbers": b"1234567890 " * 30, "braces": b"{XX}\na cat sat\n", "control": b"\x1b[31mred\x07\n", "combining": ("e" + "\u0301" * 3000 + "\n").encode(),
}  # fmt: skip


REFUSED_LEXICONS = ("no-phonemes", "unknown-phoneme", "not-utf8", "utf16", "json", "stress", "only-phonemes", "big")
BYTES = {
    "not-utf8": b"\xff\xfe\x00", "utf16": "hello".encode("utf-16"), "surrogate": b"\xed\xa0\x80", "latin-1": b"caf\xe9", "cut": "é".encode()[:1], "huge": b"a " * 2_000_000,
}  # fmt: skip
STDIN = ("speak", "-", *SPEAK[2:])
LONG = 150  # characters of a text that takes more than the usual time


def cases() -> Iterator[Case]:
    """Every text by standard input, some as arguments; lexicons; lists of sentences."""
    for label, text in TEXTS.items():
        yield from _text(label, text)
    for label, content in BYTES.items():
        yield Case(
            f"speak/texts/bytes={label}", KIND, STDIN, ("model",), expect="refused", writes=("out.wav",), stdin=content
        )
    words = ("speak", "caf\udce9", *SPEAK[2:])
    yield Case("speak/texts/argument=surrogate", KIND, words, ("model",), check=sounds(), writes=("out.wav",))
    yield Case("score/texts/surrogate", KIND, ("score", "voice.wav", "caf\udce9", *SCORE[3:]), PARTS[SCORE])
    yield from _lexicons()
    yield from _sentences()


def _text(label: str, text: str) -> Iterator[Case]:
    """A text by standard input, and as an argument of ``speak`` and ``score`` where it is short enough."""
    expect = "refused" if label in SILENT else "ran" if label in SPOKEN else "either"
    patience, heavy = 6 if len(text) > LONG else 1, len(text) > 2000 and label not in SILENT
    stdin = text.encode("utf-8", "surrogatepass")

    def spoken(how: str, words: tuple[str, ...], stdin: bytes, cheap: bool) -> Case:
        return Case(f"speak/texts/{how}={label}", KIND, words, ("model",), expect=expect, check=sounds(), writes=("out.wav",), stdin=stdin,
                    patience=patience, cheap=cheap)  # fmt: skip

    yield spoken("stdin", STDIN, stdin, not heavy)
    if "\0" in text or len(stdin) >= 100_000 or heavy:
        return
    dashed = text.startswith("-")
    words: tuple[str, ...] = ("speak", *SPEAK[2:], "--", text) if dashed else ("speak", text, *SPEAK[2:])
    yield spoken("argument", words, b"", True)
    words = ("score", *SCORE[3:], "--", "voice.wav", text) if dashed else ("score", "voice.wav", text, *SCORE[3:])
    yield Case(f"score/texts/{label}", KIND, words, PARTS[SCORE])


def _lexicons() -> Iterator[Case]:
    """Pronunciations that the user gives."""
    words = (*SPEAK, "--lexicon", "words.txt")
    for label, content in LEXICONS.items():
        expect = "refused" if label in REFUSED_LEXICONS else "either"
        prepare = written("words.txt", content)
        yield Case(f"speak/lexicon/{label}", "lexicons", words, ("model",), prepare, expect, sounds(), ("out.wav",))


def _sentences() -> Iterator[Case]:
    """Sentences for a synthetic data set."""
    words = ("build", "--synthetic", "lines.txt", "--engine", "babble", "--out", "made", "--workers", "1")
    for label, content in SENTENCES.items():
        expect = "refused" if label in ("latin-1", "blank") else "either"
        yield Case(f"build/sentences/{label}", "sentences", words, (), written("lines.txt", content), expect, writes=("made",),
                   cheap=len(content) < 5000)  # fmt: skip
