"""Finds the raw recordings that the sources of a build name: files, folders, feeds, lists of URLs, URLs.

A recording that cannot be read or fetched becomes a ``Failure``, and the search goes on.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

from triforce_tts.errors import ShardError, TriforceError
from triforce_tts.files import file_sha256, marked_kind, read_file
from triforce_tts.locks import only_writer
from triforce_tts.web.names import is_url, stem_of
from triforce_tts.web.request import FetchConfig

from ..common.licences import UNKNOWN_LICENSE
from ..common.names import is_folder, make_key
from ..common.places import AUDIO_SUFFIXES, is_utf8
from ..common.segments import Failure, Recording
from ..web.feeds import FEEDS, URL_LISTS, Episode, parse_feed, read_feed, read_url_list
from ..web.fetch import FEED_BYTES, Fetched, download
from ..web.sniff import FEED, HEAD, sniff
from ..web.ytdlp import PREFIX, fetch_ytdlp, is_for_ytdlp, javascript_runtimes, list_ytdlp
from .beside import Beside

NOT_FETCHED = "not fetched (dry run)"
_STEM_LENGTH = 60  # characters; the rest of a key is for the checksum of the content and the number of a segment


def local_sources(words: Sequence[str]) -> list[Path]:
    """Those of the sources ``words`` that name files and folders on this machine."""
    return [Path(word) for word in words if not is_url(word) and not word.startswith(PREFIX)]


def is_raw(word: str) -> bool:
    """Whether the name of a source shows that it gives raw recordings: a URL, a feed, a list of URLs, or a sound file.

    The names of text files and folders do not show it: a text file may be a list of URLs or of sentences, and a folder
    may hold anything.
    """
    suffix = Path(word).suffix.lower()
    is_file_of_raw = suffix in (*FEEDS, *URL_LISTS, *AUDIO_SUFFIXES) and suffix != ".txt"
    return is_url(word) or word.startswith(PREFIX) or (is_file_of_raw and not is_folder(Path(word)))


def find_recordings(
    words: Sequence[str],
    folder: Path,
    config: FetchConfig,
    tell: Callable[[str], None] = lambda line: None,
    fetch: bool = True,
) -> tuple[list[Recording], list[Failure]]:
    """The recordings that the sources ``words`` name, and the failures; files from the web are fetched into ``folder``.

    A source is a recording, a folder (with its subfolders), a feed (.xml, .rss, .atom), a list (.urls, .txt: one URL on
    each line, its licence after a tab), the URL of a recording or a feed, a YouTube page, or ``yt-dlp:URL`` for another
    site. The recordings have the order of the sources; within a folder they have the order of file names, within a feed
    that of the feed. A file with the same bytes as an earlier one is a failure. ``tell`` gets a line for each transfer.
    With ``fetch=False`` nothing is transferred, and everything on the web is among the failures.

    Raises:
        ShardError: there is no source, or one names a file that does not exist.
        TriforceError: another process fetches into ``folder``.
    """
    if not words:
        raise ShardError("nothing to build: give recordings, folders, feeds (.xml), lists (.urls) or URLs")
    if not all(word.strip() for word in words):
        raise ShardError(
            "one of the sources is an empty name; give a recording, a folder ('.' is this one), a feed, a list or a URL"
        )
    remote = [is_url(word) or word.startswith(PREFIX) for word in words]
    for word, is_remote in zip(words, remote, strict=True):
        if not is_remote and not _exists(word):
            raise ShardError(f"{word}: there is no such file or folder; a URL begins with http:// or https://")
    lists = any(Path(word).suffix.lower() in (*FEEDS, *URL_LISTS) for word in words)
    finder = _Finder(folder, config, tell, fetch)
    with only_writer(folder) if fetch and (any(remote) or lists) else nullcontext():
        for word, is_remote in zip(words, remote, strict=True):
            if is_remote:
                finder.take_url(word)
            else:
                finder.take_path(Path(word))
    return finder.recordings, finder.failures


class _Finder:
    """Collects recordings and failures."""

    def __init__(self, folder: Path, config: FetchConfig, tell: Callable[[str], None], fetch: bool) -> None:
        self.folder, self.config, self.tell, self.fetch = folder, config, tell, fetch
        self.recordings: list[Recording] = []
        self.failures: list[Failure] = []
        self._by_content: dict[str, str] = {}  # the name of the first file with a content, by the content's SHA-256
        self._ids: set[str] = set()
        self._beside: dict[tuple[Path, Path], Beside] = {}

    def fail(self, name: str, reason: object) -> None:
        """Add a failure; if the reason begins with the name, the name is removed there."""
        texts = (name, str(reason).removeprefix(f"{name}: "))
        self.failures.append(Failure(*(" ".join(_clean(text).splitlines()) for text in texts)))

    # --- local ---

    def take_path(self, path: Path) -> None:
        """Add the recordings of a local file or folder."""
        suffix = path.suffix.lower()
        if path.is_dir():
            for file in self._walk(path):
                self.take_file(file, path)
        elif suffix in AUDIO_SUFFIXES:
            self.take_file(path, path.parent)
        elif suffix in FEEDS:
            try:
                episodes = read_feed(path, self.config, self.fail)
            except TriforceError as error:
                self.fail(str(path), error)
            else:
                self._take_episodes(episodes, stem_of(str(path.resolve())), None)
        elif suffix in URL_LISTS:
            self._take_list(path)
        elif path.is_file() and _begins_like_sound(path):
            self.take_file(path, path.parent)
        else:
            self.fail(str(path), "expected a recording, a feed (.xml, .rss, .atom) or a list of URLs (.urls, .txt)")

    def take_file(self, path: Path, top: Path) -> None:
        """Add a local recording; its licence may lie in its folder or in any folder above it up to ``top``."""
        if not is_utf8(path):
            self.fail(str(path), "the name is not UTF-8; rename it")
            return
        try:
            place = (path.parent, top)  # a folder may be a source itself and lie in another source
            if place not in self._beside:
                self._beside[place] = Beside(*place, self.fail, self.tell)
            beside = self._beside[place]
            self._add(path, str(path), path.parent.resolve().name, beside.license, text=beside.text_of(path))
        except OSError as error:
            self.fail(str(path), f"cannot read it ({error.strerror or error})")

    def _walk(self, top: Path) -> Iterator[Path]:
        """The sound files under ``top``, sorted.

        Links are followed, each folder is entered once, and hidden files and folders are skipped.
        """
        folder_ids: set[tuple[int, int]] = set()

        def unreadable(error: OSError) -> None:
            self.fail(str(error.filename), f"cannot read the folder ({error.strerror})")

        for name, folders, files in os.walk(top, onerror=unreadable, followlinks=True):
            try:
                status = Path(name).stat()
            except OSError as error:  # somebody removed the folder meanwhile
                unreadable(error)
                continue
            if name != str(top) and (kind := marked_kind(Path(name))):
                self.fail(name, f"a folder that triforce-tts wrote ({kind}), no recordings")
                folders.clear()
                continue
            if (status.st_dev, status.st_ino) in folder_ids:
                folders.clear()
                continue
            folder_ids.add((status.st_dev, status.st_ino))
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
            for file in sorted(files):
                if not file.startswith(".") and Path(file).suffix.lower() in AUDIO_SUFFIXES:
                    yield Path(name) / file

    # --- on the web ---

    def take_url(self, word: str, collection: str | None = None, licence: str | None = None) -> None:
        """Add the recordings of a URL, which may be a recording, a feed, or a page for yt-dlp."""
        url = word.removeprefix(PREFIX)
        if not self.fetch:
            self.fail(url, NOT_FETCHED)
            return
        try:
            if is_for_ytdlp(word):
                if not javascript_runtimes():
                    self.tell("no JavaScript runtime was found; YouTube needs one for most recordings: install deno")
                self._take_episodes(list_ytdlp(url, self.config), stem_of(url), licence, fetch_ytdlp)
                return
            self.tell(f"fetching {url}")
            fetched = download(url, self.folder, self.config, feed=True)
            if fetched.is_feed:
                data = read_file(fetched.path, FEED_BYTES)
                episodes = parse_feed(data, url, self.config, self.fail)
                self._take_episodes(episodes, stem_of(url), licence)
            else:
                self._take_fetched(fetched, collection or url.split("/")[2].lower(), licence or UNKNOWN_LICENSE)
        except TriforceError as error:
            self.fail(url, error)

    def _take_list(self, path: Path) -> None:
        try:
            rows = read_url_list(path)
        except TriforceError as error:
            self.fail(str(path), error)
            return
        for number, url, licence in rows:
            if is_url(url) or url.startswith(PREFIX):
                self.take_url(url, path.stem, licence if licence != UNKNOWN_LICENSE else None)
            else:
                self.fail(f"{path}, line {number}", f"expected a URL, found '{url}'")

    def _take_episodes(
        self,
        episodes: Sequence[Episode],
        name: str,
        licence: str | None,
        fetch: Callable[[str, Path, FetchConfig], Fetched] | None = None,
    ) -> None:
        """Fetch episodes into a folder of their own, because two feeds may use the same ids."""
        if not self.fetch:
            for episode in episodes:
                self.fail(episode.url, NOT_FETCHED)
            return
        place = self.folder / name
        for number, episode in enumerate(episodes, 1):
            self.tell(f"fetching {episode.url} ({number} of {len(episodes)})")
            try:
                fetched = (
                    fetch(episode.url, place, self.config)
                    if fetch
                    else download(episode.url, place, self.config, episode.stem)
                )
                licences = (licence, episode.license, fetched.license)
                known_licence = next((name for name in licences if name and name != UNKNOWN_LICENSE), UNKNOWN_LICENSE)
                self._take_fetched(fetched, episode.collection, known_licence, episode.title or fetched.title)
            except TriforceError as error:
                self.fail(episode.url, error)

    def _take_fetched(self, fetched: Fetched, collection: str, licence: str, title: str | None = None) -> None:
        if fetched.unchecked:
            self.tell(f"{fetched.url}: the build takes the file that was fetched earlier ({fetched.unchecked})")
        try:
            self._add(Path(fetched.path), fetched.url, collection, licence, url=fetched.url, title=title)
        except OSError as error:
            self.fail(fetched.url, f"cannot read {fetched.path} ({error.strerror or error})")

    # --- both ---

    def _add(
        self,
        path: Path,
        name: str,
        collection: str,
        licence: str,
        url: str | None = None,
        title: str | None = None,
        text: Path | None = None,
    ) -> None:
        if not path.is_file():
            self.fail(name, "a link that leads nowhere, or not a regular file")
            return
        if path.stat().st_size == 0:
            self.fail(name, "the file is empty (0 bytes)")
            return
        content = file_sha256(path)
        if first := self._by_content.get(content):
            self.fail(name, f"same file as {first}")
            return
        self._by_content[content] = name
        stem = make_key(path.stem)[:_STEM_LENGTH]
        key = f"{stem}-{content[:8]}"
        if key in self._ids:  # it happens if tens of thousands of files have the same name, such as "01.mp3"
            key = f"{stem}-{content[:16]}"
        self._ids.add(key)
        collection, licence, title = _clean(collection), _clean(licence), _clean(title) if title else None
        self.recordings.append(Recording(key, str(path), collection, licence, url, title, str(text) if text else None))


def _begins_like_sound(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return sniff(file.read(HEAD)) not in (None, FEED)
    except OSError:
        return False


def _exists(word: str) -> bool:
    try:
        return Path(word).exists()
    except (OSError, ValueError):  # the name is too long, or has a zero byte
        return False


def _clean(text: str) -> str:
    """``text`` without invalid Unicode, which names of files and answers of servers may hold."""
    return text.encode("utf-8", "replace").decode()
