"""The works that ``narrate`` gets: books on disk and articles of the web, read into chapters."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from triforce_tts.books.chapters import ChapterBook, ReadOptions
from triforce_tts.errors import TextError, TriforceError
from triforce_tts.web.names import is_url, scheme_of, source_of, stem_of

if TYPE_CHECKING:
    from triforce_tts.narrator.feed import PlannedEpisode


@dataclass(frozen=True)
class Work:
    """A book or an article; an article has a ``url``, and its ``path`` is only a name."""

    path: Path
    content: ChapterBook
    url: str = ""

    @property
    def stem(self) -> str:
        """The name of the default file, without its suffix."""
        return self.path.stem if self.url else self.path.resolve().stem

    @property
    def source(self) -> str:
        """What tells the work from others."""
        return source_of(self.path, self.url)


def read_works(words: list[str], options: ReadOptions, allow_private: bool) -> list[Work]:
    """Each of ``words`` as a work.

    Raises:
        TextError: a work cannot be read or fetched, or holds nothing to be read.
        TriforceError: a package that articles need is missing.
    """
    return [_read_work(word, options, allow_private) for word in words]


def planned_episode(work: Work, chapters: str | None) -> "PlannedEpisode":
    """The episode of a feed that a work becomes, or the chapters of it that are chosen.

    Raises:
        TextError: ``chapters`` names none of the work.
    """
    from triforce_tts.narrator.feed import plan_episode

    return plan_episode(work.stem, work.source, work.content, chapters)


def work_targets(works: Sequence[Work], feed: Path | None, chapters: str | None) -> list[Path]:
    """The default file of each work, of which the ``chapters`` are chosen.

    Raises:
        ConfigError: two episodes of the feed would be one.
        TextError: ``chapters`` names none of the work.
        TriforceError: the feed is damaged or another program's.
    """
    if feed is None:
        return [Path(f"{work.stem}.m4b") for work in works]
    from triforce_tts.narrator.feed import name_episodes

    return name_episodes(feed, [planned_episode(work, chapters) for work in works])


def _read_work(word: str, options: ReadOptions, allow_private: bool) -> Work:
    if not is_url(word):
        if scheme := scheme_of(word):
            raise TextError(f"{word}: cannot fetch an address of '{scheme}'; expected http:// or https://, or a file")
        from triforce_tts.books.read import read_chapters

        return Work(Path(word), read_chapters(Path(word), options))
    try:
        from triforce_tts.web.page import LIMITS, fetch_page
    except ImportError as error:
        raise TriforceError(f"articles need {error.name}: pip install 'triforce-tts[web]'") from error
    from triforce_tts.books.article import read_article

    page = fetch_page(word, LIMITS.model_copy(update={"allow_private": allow_private}))
    return Work(Path(f"{stem_of(word)}.html"), read_article(page.content, word, options, page.charset), word)
