"""The teacher: its input, the times of its phones, and its voices. Only one test needs its network."""

import os
from pathlib import Path

import numpy as np
import pytest

from triforce_tts.data.labelled import kokoro
from triforce_tts.errors import AudioError, ShardError
from triforce_tts.text.phonemes import PHONES
from triforce_tts.text.tokenizer import TextTokenizer

ASSETS = "TRIFORCE_KOKORO"  # this environment variable names the folder with the real network


def read(text: str) -> kokoro.Spelling:
    return kokoro.spell(TextTokenizer().spell(text))


def written(spelling: kokoro.Spelling) -> str:
    names = {number: symbol for symbol, number in kokoro._NUMBERS.items()}
    return "".join(names[number] for number in spelling.ids)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, bird!", "həlˈO, bˈɜɹd!"),
        ("{T AH0 M EY1 T OW2}", "təmˈAtˌO"),
        ("the other - father", "ðə ˈʌðəɹ — fˈɑðəɹ"),
        ("church joy vision thing", "ʧˈɜɹʧ ʤˈY vˈɪʒən θˈɪŋ"),
    ],
)
def test_what_the_network_is_shown(text: str, expected: str) -> None:
    assert written(read(text)) == expected


def test_every_phone_has_symbols_of_its_own() -> None:
    symbols = {phone: kokoro.symbols_of(phone) for phone in PHONES}
    assert len(set(symbols.values())) == len(PHONES)
    assert all(symbol in kokoro._NUMBERS for symbol in "".join(symbols.values()))
    assert len(set(kokoro._NUMBERS.values())) == len(kokoro._NUMBERS)


@pytest.mark.parametrize("text", ["the word qzxv", "yes " * 300])
def test_what_it_cannot_say_is_refused(text: str) -> None:
    with pytest.raises(AudioError, match=r"the phones of the word|symbols, expected 1 to 480"):
        read(text)


def test_times_by_hand() -> None:
    spelling = read("go, bird")  # ɡ ˈ O , space b ˈ ɜ ɹ d
    assert written(spelling) == "ɡˈO, bˈɜɹd"
    units = [4, 2, 1, 5, 3, 1, 2, 0, 3, 1, 2, 6]  # the silence before, each symbol, the silence after
    assert kokoro.alignment_of(spelling, units) == [
        pytest.approx([0.1, 0.15, 0.3]),  # the sign of stress counts for its vowel
        pytest.approx([0.4, 0.45, 0.55, 0.6]),
    ]


def test_a_pause_may_follow_words_before_a_mark_and_the_last_word() -> None:
    assert read("go, bird").pauses == [0, 1]
    assert read("go bird; yes no").pauses == [1, 3]
    assert read("go.").pauses == [0]


def test_times_as_they_lie_in_the_sound() -> None:
    """A tone from .1 to .4 s, and from .7 to .9 s; the count is two units late, and gives the silences to the words."""
    time = np.arange(24000) / 24000
    speech = ((time >= 0.1) & (time < 0.4)) | ((time >= 0.7) & (time < 0.9))
    wave = (np.where(speech, 0.5, 1e-4) * np.sin(2 * np.pi * 300 * time)).astype(np.float32)
    counted = [[0.15, 0.25, 0.75], [0.75, 0.85, 1.0]]
    placed = kokoro.in_sound(counted, [0, 1], wave)
    assert placed == [pytest.approx([0.1, 0.2, 0.4], abs=0.005), pytest.approx([0.7, 0.8, 0.9], abs=0.005)]
    assert kokoro.in_sound(counted, [], wave) == [[0.1, 0.2, 0.7], [0.7, 0.8, 0.95]]
    silent = kokoro.in_sound([[0.02, 0.03, 0.75]], [0], np.zeros(24000, np.float32))
    assert silent == [[0.0, 0.0, pytest.approx(0.01)]]  # a phone keeps a length where nothing can be heard


def test_voices_and_blends() -> None:
    assert kokoro.parse_voice("af_heart") == {"af_heart": 1.0}
    assert kokoro.parse_voice("a+b") == {"a": 0.5, "b": 0.5}
    assert kokoro.parse_voice("a+b:0.7") == pytest.approx({"a": 0.7, "b": 0.3})
    for wrong in ("", "a+", "a+a", "a+b:1", "a+b:0", "a+b:x", "a+b+c", "../a"):
        with pytest.raises(ShardError, match="expected a name, or two"):
            kokoro.parse_voice(wrong)


@pytest.mark.parametrize("archived", [False, True])
def test_styles_from_a_folder_and_from_an_archive(tmp_path: Path, archived: bool) -> None:
    draw = np.random.default_rng(0)
    styles = {name: draw.standard_normal((510, 256), np.float32) for name in ("a", "b")}
    if archived:
        with (tmp_path / kokoro.STYLES_ARCHIVE).open("wb") as file:
            np.savez(file, **{name: style[:, None] for name, style in styles.items()})
    else:
        (tmp_path / kokoro.STYLES).mkdir()
        for name, style in styles.items():
            style.tofile(tmp_path / kokoro.STYLES / f"{name}.bin")
    found = kokoro.read_styles(tmp_path)
    assert found.keys() == styles.keys()
    assert all((found[name] == styles[name]).all() for name in styles)


def test_damaged_or_missing_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="cannot read the voices"):
        kokoro.read_styles(tmp_path)
    (tmp_path / kokoro.STYLES).mkdir()
    with pytest.raises(ShardError, match="there is none"):
        kokoro.read_styles(tmp_path)
    np.zeros(100, np.float32).tofile(tmp_path / kokoro.STYLES / "a.bin")
    with pytest.raises(ShardError, match="'a' has 100 numbers"):
        kokoro.read_styles(tmp_path)
    pytest.importorskip("onnxruntime")
    (tmp_path / kokoro.MODEL).write_bytes(b"no network")
    with pytest.raises(ShardError, match="cannot load kokoro's network"):
        kokoro._session(tmp_path / kokoro.MODEL)


def message(*fields: tuple[int, bytes | str | int]) -> bytes:
    """A message of Protocol Buffers with lengths and numbers below 128."""
    encoded = b""
    for number, value in fields:
        if isinstance(value, int):
            encoded += bytes([number << 3, value])
        else:
            content = value.encode() if isinstance(value, str) else value
            encoded += bytes([number << 3 | 2, len(content)]) + content
    return encoded


def test_an_inner_tensor_becomes_an_output() -> None:
    """A hand-written network z = -(-x) (onnx.proto of ONNX 1.16); the test makes y = -x an output too."""
    onnxruntime = pytest.importorskip("onnxruntime")
    shape = message((2, message((1, message((1, 3))))))  # one axis of 3
    kind = message((1, message((1, 1)) + shape))  # tensor of float32
    nodes = [message((1, a), (2, b), (4, "Neg")) for a, b in (("x", "y"), ("y", "z"))]
    ends = [message((1, name), (2, kind)) for name in ("x", "z")]
    graph = message((1, nodes[0]), (1, nodes[1]), (2, "twice"), (11, ends[0]), (12, ends[1]))
    model = message((1, 8), (7, graph), (8, message((2, 13))))
    feed = {"x": np.array([1, 2, 3], np.float32)}

    def outputs(content: bytes) -> dict[str, list[float]]:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, (value.tolist() for value in session.run(names, feed)), strict=True))

    assert outputs(model) == {"z": [1, 2, 3]}
    assert outputs(kokoro.with_output(model, "y")) == {"z": [1, 2, 3], "y": [-1, -2, -3]}


@pytest.mark.skipif(ASSETS not in os.environ, reason=f"{ASSETS} names no folder with the network")
def test_the_real_network_says_when() -> None:
    teacher = kokoro.load(Path(os.environ[ASSETS]))
    lesson = teacher.speak("The sun rose, and the birds sang.", "af_heart+af_bella:0.6")
    again = teacher.speak("The sun rose, and the birds sang.", "af_heart+af_bella:0.6")
    assert (lesson.audio.samples == again.audio.samples).all()
    assert [len(word) - 1 for word in lesson.alignment] == [2, 3, 3, 3, 2, 4, 3]
    times = [time for word in lesson.alignment for time in word]
    assert times == sorted(times) and times[-1] < lesson.audio.duration_s
    before, after = (
        lesson.audio.samples[round(start * 24000) : round(end * 24000)].square().mean()
        for start, end in ((0.0, times[0] - 0.1), (times[0], times[-1]))
    )
    assert after > 100 * before
    with pytest.raises(ShardError, match=r"unknown voice 'nobody'; kokoro has: .*af_heart"):
        teacher.speak("Hello.", "nobody")
