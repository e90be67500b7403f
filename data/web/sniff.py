"""Tells the kind of a file by its first bytes, because a server's media type and a file's name may be wrong."""

HEAD = 4096  # this many bytes at the beginning of a file show its kind
FEED = ".xml"

_MAGIC = (
    (0, b"fLaC", ".flac"),
    (0, b"OggS", ".ogg"),
    (0, b"ID3", ".mp3"),
    (8, b"WAVE", ".wav"),  # after RIFF or RF64
    (8, b"AVI ", ".avi"),
    (0, b"\x1a\x45\xdf\xa3", ".webm"),  # EBML, also of mkv
    (8, b"AIFF", ".aiff"),
    (8, b"AIFC", ".aiff"),
    (0, b"caff", ".caf"),
    (0, b".snd", ".au"),
    (0, b"wvpk", ".wv"),
    (0, b"MAC ", ".ape"),
    (0, b"#!AMR", ".amr"),
    (0, b"FLV\x01", ".flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", ".wma"),  # ASF
    (0, b"\x00\x00\x01\xba", ".mpg"),
)


def sniff(head: bytes) -> str | None:
    """The suffix for the kind of file that the first bytes show: audio or video, or ``FEED``; None if it is neither."""
    for offset, magic, suffix in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return suffix
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return ".m4a" if head[8:11] in (b"M4A", b"M4B") else ".mp4"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<?xml", b"<rss", b"<feed", b"<rdf:rdf")):
        return None if b"<html" in text or b"<!doctype html" in text else FEED
    return _sniff_mpeg(head.lstrip(b"\0"))  # some encoders put zeros at the beginning


def _sniff_mpeg(head: bytes) -> str | None:
    """The suffix of MPEG audio, which begins with eleven set bits and fields without forbidden values; None for others.

    See ISO 11172-3, 2.4.1.3.
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:  # layer 0: ADTS
        return ".aac" if head[2] >> 2 & 15 < 13 else None
    layer, bitrate, rate, version_bits = head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3, head[1] >> 3 & 3
    return ".mp3" if layer in (1, 2) and bitrate != 15 and rate != 3 and version_bits != 1 else None


def printable_head(head: bytes) -> str:
    """The first bytes of a file as text for a message."""
    return "".join(c if c.isprintable() else "." for c in head[:24].decode("latin-1"))
