"""What ``narrate`` is given: books on disk and articles of the web, read into chapters."""

from dataclasses import dataclass
from pathlib import Path

from triforce_tts.books.chapters import ChapterBook, ReadOptions
from triforce_tts.errors import ConfigError, TriforceError
from triforce_tts.web.names import is_url, stem_of

_EPISODE = ".mp3"


@dataclass(frozen=True)
class Work:
    """A book or an article; an article has a ``url``, and its ``path`` is only a name."""

    path: Path
    content: ChapterBook
    url: str = ""

    def target(self, feed: Path | None) -> Path:
        """The file that is written unless a user names another."""
        stem = self.path.stem if self.url else self.path.resolve().stem
        return Path(f"{stem}.m4b") if feed is None else feed / f"{stem}{_EPISODE}"


def read_works(words: list[str], options: ReadOptions, allow_private: bool) -> list[Work]:
    """Each of ``words`` as a work.

    Raises:
        ConfigError: two works would be written to the same file.
        TextError: one cannot be read or fetched, or holds nothing to be read.
        TriforceError: a package is missing that articles need.
    """
    works = [_read_work(word, options, allow_private) for word in words]
    targets: dict[str, str] = {}
    for word, work in zip(words, works, strict=True):
        name = work.target(None).name.casefold()
        if name in targets:
            raise ConfigError(f"{word}: it would have the same name as {targets[name]}; rename one of them")
        targets[name] = word
    return works


def _read_work(word: str, options: ReadOptions, allow_private: bool) -> Work:
    if not is_url(word):
        from triforce_tts.books.read import read_chapters

        return Work(Path(word), read_chapters(Path(word), options))
    try:
        from triforce_tts.web.page import LIMITS, fetch_page
    except ImportError as error:
        raise TriforceError(f"articles need {error.name}: pip install 'triforce-tts[web]'") from error
    from triforce_tts.books.article import read_article

    page = fetch_page(word, LIMITS.model_copy(update={"allow_private": allow_private}))
    return Work(Path(f"{stem_of(word)}.html"), read_article(page.content, word, options, page.charset), word)
