"""What lies beside recordings in their folder: the texts that are read in them, and their licence."""

import re
from collections.abc import Callable
from pathlib import Path

from triforce_tts.books import subtitles
from triforce_tts.books.book import MOST_BYTES
from triforce_tts.errors import TriforceError
from triforce_tts.textfiles import read_text

from ..common.licences import UNKNOWN_LICENSE, license_beside
from ..common.places import AUDIO_SUFFIXES, is_utf8
from ..steps.text_checks import TextChecksConfig, guess_language

_TEXTS = (".txt", *subtitles.SUFFIXES, ".epub")  # of several texts of one name, the first of these is taken
_NOT_BOOKS = ("license", "licence", "readme", "notice", "copying")
_JUDGED = 20_000  # characters of subtitles whose language is judged
_ENGLISH = re.compile(r"\.en([-_]\w+)?$", re.IGNORECASE)  # yt-dlp calls the English subtitles of x.webm x.en.vtt


class Beside:
    """The texts in a folder of recordings, and the licence in the folder or above it up to ``top``.

    ``fail`` gets what cannot be read, and ``tell`` a line for each text that is left out.
    """

    def __init__(
        self, folder: Path, top: Path, fail: Callable[[str, object], None], tell: Callable[[str], None]
    ) -> None:
        self.tell = tell
        try:
            self.license = license_beside(folder, top)
        except OSError as error:
            fail(str(error.filename or folder), f"the licence cannot be read ({error.strerror or error})")
            self.license = UNKNOWN_LICENSE
        self._texts: list[Path] = []
        stems, names = set[str](), set[str]()
        for path in sorted(folder.iterdir()):
            suffix = path.suffix.lower()
            if suffix in AUDIO_SUFFIXES:
                stems.add(path.stem)
                names.add(path.name)
            elif suffix in _TEXTS and not path.name.startswith(".") and path.stem.lower() not in _NOT_BOOKS:
                if not is_utf8(path):
                    fail(str(path), "the name is not UTF-8; rename it")
                elif path.is_file():
                    self._texts.append(path)
                else:
                    fail(str(path), "expected a text, found a folder, a link that leads nowhere, or no regular file")
        self._shared = [path for path in self._texts if path.stem not in stems | names and not _is_timed(path)]
        if len(self._shared) > 1 and stems - {
            Path(path.stem).stem if path.stem in names else path.stem for path in self._texts
        }:
            listed = ", ".join(path.name for path in self._shared[:3])
            tell(
                f"{folder}: {len(self._shared)} texts ({listed}) have the name of no recording, so none of them is taken; "
                "leave one there, or give it the name of its recording"
            )

    def text_of(self, audio: Path) -> Path | None:
        """The text that is read in ``audio``; None if there is none.

        It is the text of the same name (.txt, then subtitles, then .epub), or else the only text in the folder. A text
        with the name of another recording belongs to that recording, licences and README files are no texts, and
        subtitles belong to one recording.
        """
        own = (audio.stem, audio.name)  # some programs call a text x.mp3.txt
        same = [path for path in self._texts if path.stem in own or _is_english_of(path, audio)]
        # Of x.en.vtt and x.en-orig.vtt, the second is what a machine heard.
        for path in sorted(same, key=lambda path: (_TEXTS.index(path.suffix.lower()), len(path.stem))):
            if not _is_timed(path) or self._is_transcript(path):
                return path
        return self._shared[0] if len(self._shared) == 1 else None

    def _is_transcript(self, path: Path) -> bool:
        """Whether subtitles are what people wrote of English speech; a recogniser does better than any others."""
        try:
            text = subtitles.spoken(read_text(path, MOST_BYTES))
        except TriforceError as error:
            self.tell(f"not used as a text: {error}")
            return False
        if not text:
            fault = "it has no words"
        elif not subtitles.has_stops(text):
            fault = "it has hardly any full stops"
        else:
            language, probability = guess_language(text[:_JUDGED])
            limits = TextChecksConfig()
            if language == limits.language or probability <= limits.max_other_language:
                return True
            fault = f"it is in another language ({language})"
        self.tell(f"{path}: it is not used as a text: {fault}")
        return False


def _is_timed(path: Path) -> bool:
    return path.suffix.lower() in subtitles.SUFFIXES


def _is_english_of(path: Path, audio: Path) -> bool:
    return _is_timed(path) and _ENGLISH.sub("", path.stem) == audio.stem
