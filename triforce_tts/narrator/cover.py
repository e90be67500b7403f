"""The picture on a book's cover, in a form that a sound file can hold."""

import io
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from triforce_tts.books.chapters import About
from triforce_tts.errors import TriforceError
from triforce_tts.files import read_file

if TYPE_CHECKING:
    from av.container import InputContainer

_FRONT_COVER, _BITS = 3, 24  # the kind of the picture in FLAC, and the bits of a pixel
MOST_BYTES = 10_000_000  # the largest cover, in bytes; shops want at most a few megabytes
_JPEG_MARK, _JPEG_SCAN, _JPEG_END = 0xFF, 0xDA, b"\xff\xd9"
_PNG_BEGINNING = b"\x89PNG\r\n\x1a\n"
_KINDS = ((b"\xff\xd8\xff", "mjpeg", "yuvj420p", "jpeg_pipe"), (_PNG_BEGINNING, "png", "rgb24", "png_pipe"))
# Pictures that sound files cannot hold become JPEG.
_CONVERTED = ((re.compile(rb"RIFF....WEBP", re.DOTALL), "webp_pipe"), (re.compile(rb"GIF8"), "gif"))
_MOST_PIXELS = 25_000_000  # of a picture that is converted; more would take a gigabyte of memory
_JPEG_QUALITY = {"qmin": "2", "qmax": "2"}  # the best of the encoder


@dataclass(frozen=True)
class Cover:
    """A JPEG or PNG picture."""

    data: bytes
    codec: str
    pixels: str
    width: int
    height: int

    @property
    def suffix(self) -> str:
        """The suffix of a file with the picture."""
        return ".png" if self.codec == "png" else ".jpg"

    @property
    def media_type(self) -> str:
        """The media type of the picture."""
        return "image/png" if self.codec == "png" else "image/jpeg"

    @property
    def flac_block(self) -> bytes:
        """The picture as FLAC has it (RFC 9639, section 8.8), which is how a comment of Ogg holds it, too."""
        kind = self.media_type.encode()
        sizes = struct.pack(">5I", self.width, self.height, _BITS, 0, len(self.data))
        return struct.pack(">2I", _FRONT_COVER, len(kind)) + kind + struct.pack(">I", 0) + sizes + self.data


def read_cover(path: Path) -> Cover:
    """The picture in a file.

    Raises:
        TriforceError: the file is missing, too large, damaged, or no picture of a known kind.
    """
    data = read_file(path, MOST_BYTES)
    cover = picture(data)
    if cover is None and any(beginning.match(data) for beginning, _ in _CONVERTED):
        raise TriforceError(
            f"{path}: the picture is damaged, moves, or has more than {_MOST_PIXELS:,} pixels; save it as JPEG, or leave --cover out"
        )
    if cover is None:
        raise TriforceError(
            f"{path}: expected a picture in JPEG, PNG, WebP or GIF for the cover; convert it, or leave --cover out"
        )
    if not is_whole(cover):
        raise TriforceError(f"{path}: the picture is damaged or cut off; save it anew, or leave --cover out")
    return cover


def book_cover(book: Path, about: About) -> tuple[Cover | None, str]:
    """The cover in a book, and a remark if it cannot be used; a book may have none."""
    if not about.cover:
        return None, ""
    try:
        data = _data(book, about.cover)
    except TriforceError as error:
        return None, f"the cover is left out: {error}"
    cover = picture(data) if data is not None else None
    if cover is not None:
        damaged = (
            f"the cover {about.cover!r} is damaged or cut off, and is used all the same; give a whole one with --cover"
        )
        return cover, "" if is_whole(cover) else damaged
    why = "it is not in the book, so there is" if data is None else "it is"
    return (
        None,
        f"the cover {about.cover!r} is left out: {why} no JPEG, PNG, WebP or GIF picture; give one with --cover",
    )


def _data(book: Path, name: str) -> bytes | None:
    """The bytes of the picture ``name`` in an epub, or beside a text within the text's folder."""
    if book.suffix.lower() == ".epub":
        from triforce_tts.books.epub import open_epub

        with open_epub(book) as files:
            return files.content(name)
    path = (book.parent / name).resolve()
    is_inside = book.parent.resolve() in path.parents
    return read_file(path, MOST_BYTES) if is_inside and path.is_file() else None


def is_whole(cover: Cover) -> bool:
    """Whether a picture has its end and, where the format has checksums, no damage. Players show others in part, or not at all."""
    return _is_whole_png(cover.data) if cover.codec == "png" else _is_whole_jpeg(cover.data)


def _is_whole_jpeg(data: bytes) -> bool:
    """Whether the scan of a JPEG, behind segments that may hold small pictures of their own, has an end."""
    at = 2
    while at + 4 <= len(data) and data[at] == _JPEG_MARK:
        if data[at + 1] == _JPEG_MARK:  # a marker may have several of these bytes before it
            at += 1
        elif data[at + 1] == _JPEG_SCAN:
            return data.find(_JPEG_END, at) >= 0
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def _is_whole_png(data: bytes) -> bool:
    at = len(_PNG_BEGINNING)
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + size
        if struct.pack(">I", zlib.crc32(data[at + 4 : end])) != data[end : end + 4]:
            return False
        if kind == b"IEND":
            return True
        at = end + 4
    return False


def picture(data: bytes) -> Cover | None:
    """The picture in ``data``, a WebP or GIF as JPEG; none if it is of another kind, or does not say its size."""
    import av

    if len(data) > MOST_BYTES:
        return None
    try:
        for beginning, demuxer in _CONVERTED:
            if beginning.match(data):
                data = _as_jpeg(data, demuxer)
        for start, codec, pixels, demuxer in _KINDS:
            if data.startswith(start):
                with _opened(data, demuxer) as container:
                    context = container.streams.video[0].codec_context
                    width, height = context.width, context.height
                return Cover(data, codec, pixels, width, height) if width and height else None
    except (av.FFmpegError, IndexError, StopIteration):
        return None
    return None


@contextmanager
def _opened(data: bytes, demuxer: str) -> Iterator["InputContainer"]:
    """The picture in ``data``, opened by the ``demuxer`` of a picture alone: others would open the files and addresses that they name."""
    import av

    with av.open(io.BytesIO(data), format=demuxer) as container:
        yield container


def _as_jpeg(data: bytes, demuxer: str) -> bytes:
    """The first frame of a picture as JPEG; nothing if it has too many pixels to be decoded here."""
    import av

    buffer = io.BytesIO()
    with _opened(data, demuxer) as container:
        context = container.streams.video[0].codec_context
        if context.width * context.height > _MOST_PIXELS:
            return b""
        pixels = next(container.decode(video=0)).reformat(format="rgba").to_ndarray().astype(np.uint16)
    share = pixels[..., 3:]
    on_white = ((pixels[..., :3] * share + 255 * (255 - share)) // 255).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(on_white, format="rgb24")
    with av.open(buffer, "w", format="image2pipe") as target:
        stream = target.add_stream("mjpeg", rate=1, options=_JPEG_QUALITY)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuvj420p"
        target.mux([*stream.encode(frame), *stream.encode(None)])
    return buffer.getvalue()
