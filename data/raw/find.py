"""Raw recordings for the builder, wherever they are: files, folders, feeds, lists of URLs, URLs.

What is wrong with one of them is told and never stops the others.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

from triforce_tts.errors import ShardError, TriforceError
from triforce_tts.files import file_sha256, marked_kind, only_writer, read_file

from ..common.licences import UNKNOWN_LICENSE, license_beside
from ..common.names import is_folder, make_key
from ..common.places import AUDIO_SUFFIXES
from ..common.segments import Failure, Source
from ..web.feeds import FEEDS, URL_LISTS, Episode, is_url, parse_feed, read_feed, read_url_list
from ..web.fetch import FEED, FEED_BYTES, HEAD, FetchConfig, Fetched, download, sniff, stem_of
from ..web.ytdlp import PREFIX, fetch_ytdlp, is_for_ytdlp, javascript_runtimes, list_ytdlp

SOUND_SUFFIXES = frozenset(AUDIO_SUFFIXES).union(
    (".oga", ".aac", ".m4b", ".mka", ".mp2", ".wma", ".aiff", ".aif", ".caf", ".au", ".amr", ".ape", ".wv"),
    (".webm", ".mp4", ".m4v", ".mkv", ".mov", ".avi", ".mpg", ".mpeg", ".flv", ".3gp", ".wmv", ".ogv"),
)
NOT_FETCHED = "not fetched (dry run)"
_TEXTS = (".txt", ".epub")
_NOT_BOOKS = ("license", "licence", "readme", "notice", "copying")
_STEM_LENGTH = 60  # leaves room in a key for the digits of the content and the number of a segment


def local_sources(words: Sequence[str]) -> list[Path]:
    """Those of ``words`` that name files and folders here."""
    return [Path(word) for word in words if not is_url(word) and not word.startswith(PREFIX)]


def is_raw(word: str) -> bool:
    """Whether the name of a source alone shows that it is of raw recordings: a URL, a feed, a list of URLs, a sound file.

    A text file may be a list of URLs or sentences, and a folder may hold anything: their names do not show it.
    """
    suffix = Path(word).suffix.lower()
    is_file_of_raw = suffix in (*FEEDS, *URL_LISTS, *SOUND_SUFFIXES) and suffix != ".txt"
    return is_url(word) or word.startswith(PREFIX) or (is_file_of_raw and not is_folder(Path(word)))


def find_sources(
    words: Sequence[str],
    folder: Path,
    config: FetchConfig,
    tell: Callable[[str], None] = lambda line: None,
    fetch: bool = True,
) -> tuple[list[Source], list[Failure]]:
    """The recordings that ``words`` name, each content once, and what failed; what is on the web goes into ``folder``.

    A word is a recording, a folder (searched through), a feed (.xml, .rss, .atom), a list (.urls, .txt: a URL a line,
    a licence after a tab), the URL of a recording or a feed, a YouTube page, or ``yt-dlp:URL`` for another site. The
    order is that of the words, of file names within a folder, of the feed within a feed. ``tell`` gets a line for
    each transfer; without ``fetch`` nothing is transferred, and what would be is among the failures.

    Raises:
        ShardError: no word was given, or one names nothing that exists.
        TriforceError: another process fetches into ``folder``.
    """
    if not words:
        raise ShardError("nothing to build: give recordings, folders, feeds (.xml), lists (.urls) or URLs")
    if not all(word.strip() for word in words):
        raise ShardError(
            "a source is an empty name; give a recording, a folder, a feed, a list or a URL ('.': this folder)"
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
    return finder.sources, finder.failures


class _Finder:
    """Collects sources and failures."""

    def __init__(self, folder: Path, config: FetchConfig, tell: Callable[[str], None], fetch: bool) -> None:
        self.folder, self.config, self.tell, self.fetch = folder, config, tell, fetch
        self.sources: list[Source] = []
        self.failures: list[Failure] = []
        self._by_content: dict[str, str] = {}  # name of the first file with a SHA-256
        self._ids: set[str] = set()
        self._beside: dict[tuple[Path, Path], _Beside] = {}

    def fail(self, name: str, reason: object) -> None:
        """Note what failed; most messages begin with its name, which is kept once."""
        told = (name, str(reason).removeprefix(f"{name}: "))
        self.failures.append(Failure(*(" ".join(_clean(text).splitlines()) for text in told)))

    # --- local ---

    def take_path(self, path: Path) -> None:
        """A file or a folder."""
        suffix = path.suffix.lower()
        if path.is_dir():
            for file in self._walk(path):
                self.take_file(file, path)
        elif suffix in SOUND_SUFFIXES:
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
        """A recording that lies here; its licence may lie in any folder up to ``top``."""
        if not _is_utf8(path):
            self.fail(str(path), "the name is not UTF-8; rename it")
            return
        try:
            place = (path.parent, top)  # the same folder may be named by itself and within another
            if place not in self._beside:
                self._beside[place] = _Beside(*place, self.fail)
            beside = self._beside[place]
            self._add(path, str(path), path.parent.resolve().name, beside.license, text=beside.text_of(path))
        except OSError as error:
            self.fail(str(path), f"cannot read it ({error.strerror or error})")

    def _walk(self, top: Path) -> Iterator[Path]:
        """The recordings under ``top``, sorted; links are followed, each folder is entered once, hidden things never."""
        seen: set[tuple[int, int]] = set()

        def unreadable(error: OSError) -> None:
            self.fail(str(error.filename), f"cannot read the folder ({error.strerror})")

        for name, folders, files in os.walk(top, onerror=unreadable, followlinks=True):
            try:
                status = Path(name).stat()
            except OSError as error:  # gone meanwhile
                unreadable(error)
                continue
            if name != str(top) and (kind := marked_kind(Path(name))):
                self.fail(name, f"a folder that triforce-tts wrote ({kind}), no recordings")
                folders.clear()
                continue
            if (status.st_dev, status.st_ino) in seen:
                folders.clear()
                continue
            seen.add((status.st_dev, status.st_ino))
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
            for file in sorted(files):
                if not file.startswith(".") and Path(file).suffix.lower() in SOUND_SUFFIXES:
                    yield Path(name) / file

    # --- on the web ---

    def take_url(self, word: str, collection: str | None = None, licence: str | None = None) -> None:
        """A recording, a feed, or a page for yt-dlp."""
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
        """Fetch episodes into a folder of their own: the ids of two feeds may be the same."""
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
                known = (licence, episode.license, fetched.license)
                known_licence = next((name for name in known if name and name != UNKNOWN_LICENSE), UNKNOWN_LICENSE)
                self._take_fetched(fetched, episode.collection, known_licence, episode.title or fetched.title)
            except TriforceError as error:
                self.fail(episode.url, error)

    def _take_fetched(self, fetched: Fetched, collection: str, licence: str, title: str | None = None) -> None:
        if fetched.unchecked:
            self.tell(f"{fetched.url}: the file of an earlier fetch is taken ({fetched.unchecked})")
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
        if key in self._ids:  # happens among the tens of thousands of files that are called "01.mp3"
            key = f"{stem}-{content[:16]}"
        self._ids.add(key)
        collection, licence, title = _clean(collection), _clean(licence), _clean(title) if title else None
        self.sources.append(Source(key, str(path), collection, licence, url, title, str(text) if text else None))


class _Beside:
    """What lies in a folder beside its recordings: texts, and the licence in it or above it up to ``top``."""

    def __init__(self, folder: Path, top: Path, fail: Callable[[str, object], None]) -> None:
        try:
            self.license = license_beside(folder, top)
        except OSError as error:
            fail(str(error.filename or folder), f"the licence cannot be read ({error.strerror or error})")
            self.license = UNKNOWN_LICENSE
        self._texts: list[Path] = []
        stems: set[str] = set()
        for path in sorted(folder.iterdir()):
            suffix = path.suffix.lower()
            if suffix in SOUND_SUFFIXES:
                stems.add(path.stem)
            elif suffix in _TEXTS and not path.name.startswith(".") and path.stem.lower() not in _NOT_BOOKS:
                if not _is_utf8(path):
                    fail(str(path), "the name is not UTF-8; rename it")
                elif path.is_file():
                    self._texts.append(path)
                else:
                    fail(str(path), "expected a text, found a folder, a link that leads nowhere, or no regular file")
        self._shared = [path for path in self._texts if path.stem not in stems]

    def text_of(self, audio: Path) -> Path | None:
        """The text that ``audio`` is read from: of the same name (.txt first), else the only text of the folder.

        A text of another recording's name is that one's; licences and read-me files are no books.
        """
        same = [path for path in self._texts if path.stem == audio.stem]
        if same:
            return max(same, key=lambda path: path.suffix.lower() == ".txt")
        return self._shared[0] if len(self._shared) == 1 else None


def _begins_like_sound(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return sniff(file.read(HEAD)) not in (None, FEED)
    except OSError:
        return False


def _exists(word: str) -> bool:
    try:
        return Path(word).exists()
    except (OSError, ValueError):  # longer than a name may be, or with a zero byte
        return False


def _clean(text: str) -> str:
    """``text`` without what no UTF-8 file can hold: names of files, and what servers send, may be anything."""
    return text.encode("utf-8", "replace").decode()


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
