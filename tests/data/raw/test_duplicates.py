import io
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf
import soxr

from triforce_tts.data.common.segments import Wave
from triforce_tts.data.labelled import babble
from triforce_tts.data.raw import duplicates
from triforce_tts.data.raw.duplicates import NOTHING, DuplicatesConfig, Words, bit_errors, find_duplicates, fingerprint

RATE = 16000
VOICE = Path(__file__).parents[3] / "triforce_tts" / "assets" / "voices" / "kathleen.flac"


@pytest.fixture(scope="module")
def voice() -> Wave:
    """4.7 s of real speech."""
    samples, rate = sf.read(VOICE, dtype="float32")
    assert rate == RATE
    return np.asarray(samples)


def spoken(text: str, voice: str = "low") -> Wave:
    return babble.speak(text, voice).samples.numpy()


def recoded(samples: Wave, container: str, codec: str, bit_rate: int) -> Wave:
    """``samples`` after they were encoded with a lossy codec and decoded again."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as out:
        stream = out.add_stream(codec, rate=RATE, layout="mono")
        stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, 0
        out.mux([*stream.encode(frame), *stream.encode(None)])
    buffer.seek(0)
    back, rate = sf.read(buffer, dtype="float32")
    assert rate == RATE
    return np.asarray(back)


def noisy(samples: Wave, snr_db: float) -> Wave:
    noise = np.random.default_rng(1).standard_normal(len(samples)).astype(np.float32)
    gain = np.sqrt(np.mean(samples**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    return np.asarray(samples + gain * noise, np.float32)


def shifted(samples: Wave, seconds: float) -> Wave:
    return np.concatenate([np.zeros(round(seconds * RATE), np.float32), samples])


def found(sounds: dict[str, Wave], texts: dict[str, str] | None = None, **config: float) -> dict[str, str]:
    prints = {key: fingerprint(sound) for key, sound in sounds.items()}
    lengths = {key: len(sound) / RATE for key, sound in sounds.items()}
    return find_duplicates(prints, texts or dict.fromkeys(sounds, ""), lengths, DuplicatesConfig(**config))


def copies(voice: Wave) -> dict[str, Wave]:
    return {
        "louder": 2 * voice,
        "quieter": 0.05 * voice,
        "mp3": recoded(voice, "mp3", "libmp3lame", 32000),
        "opus": recoded(voice, "ogg", "libopus", 16000),
        "late": shifted(voice, 0.12),
        "cut": voice[1900:-1500],
        "resampled": np.asarray(soxr.resample(soxr.resample(voice, RATE, 11025), 11025, RATE), np.float32),
        "noisy": noisy(voice, 20),
        "all of it": recoded(shifted(noisy(0.5 * voice, 25), 0.12), "mp3", "libmp3lame", 32000),
    }


def test_copies_are_known(voice: Wave) -> None:
    sounds = {"0": voice, **{f"copy {name}": sound for name, sound in copies(voice).items()}}
    assert found(sounds) == {key: "0" for key in sounds if key != "0"}


def test_how_far_copies_are_from_the_bar(voice: Wave) -> None:
    original = fingerprint(voice)
    assert bit_errors(original, original, 0.8) == 0
    for name, sound in copies(voice).items():
        assert bit_errors(original, fingerprint(sound), 0.8) < 0.25, name
    other = fingerprint(spoken("something else that is said here for once and"))
    assert bit_errors(original, other, 0.8) > 0.4


def test_other_readings_are_not_copies(voice: Wave) -> None:
    text = "the cat sat on the red mat and saw six old hats"
    # another reading by the same reader, 7 % slower
    slower = np.asarray(soxr.resample(spoken(text), 15, 16), np.float32)
    sounds = {
        "low": spoken(text),
        "low again": slower,
        "mid": spoken(text, "mid"),
        "high": spoken(text, "high"),
        "other": spoken("the hats ran to him on a red cat and old six sat"),
        "voice": voice,
        "voice backwards": voice[::-1].copy(),
        "voice first half": voice[: len(voice) // 2],
        "noise": noisy(0 * voice + 1e-3, -60),
    }
    assert found(sounds) == {}


def test_the_first_key_stays_whatever_the_order(voice: Wave) -> None:
    sounds = {"c": voice, "b": 0.5 * voice, "d": shifted(voice, 0.1), "a": spoken("a cat sat on the mat with the hat")}
    assert found(sounds) == {"c": "b", "d": "b"}
    assert found(dict(reversed(sounds.items()))) == {"c": "b", "d": "b"}


def test_a_part_is_no_copy_of_the_whole(voice: Wave) -> None:
    whole = np.concatenate([voice, spoken("and on it goes with other words for a while")])
    assert found({"a": voice, "b": whole}) == {}
    assert found({"a": voice, "b": whole}, min_overlap=0.3) == {"b": "a"}


def test_short_segments_need_equal_texts(voice: Wave) -> None:
    short = voice[RATE : 2 * RATE + RATE // 2]
    sounds = {"a": short, "b": 0.5 * short}
    assert found(sounds, {"a": "Hello, there!", "b": "hello there"}) == {"b": "a"}
    assert found(sounds, {"a": "Hello there", "b": "hello where"}) == {}
    assert found(sounds, {"a": "one", "b": "two"}, min_seconds=1.0) == {"b": "a"}


def test_equal_texts_are_a_reason_to_compare(monkeypatch: pytest.MonkeyPatch, voice: Wave) -> None:
    monkeypatch.setattr(duplicates, "_SKETCH", 0)  # now the two fingerprints have no word in common
    sounds = {"a": voice, "b": 0.5 * voice, "c": spoken("a cat sat on the mat with the hat")}
    assert found(sounds) == {}
    assert found(sounds, {"a": "It is.", "b": "it is", "c": "It is!"}) == {"b": "a"}


def test_silence_and_scraps_are_copies_of_nothing(voice: Wave) -> None:
    silence = np.zeros(3 * RATE, np.float32)
    sounds = {"a": silence, "b": silence, "c": voice[:2000], "d": voice[:2000], "e": voice[:0], "f": voice[:0]}
    assert found(sounds) == {}
    assert not fingerprint(silence).any()
    assert fingerprint(voice[:2000]).shape == (0,)
    assert find_duplicates({}, {}, {}) == {}


def test_faint_noise_tells_nothing(voice: Wave) -> None:
    hiss = 1e-5 * np.random.default_rng(2).standard_normal(3 * RATE).astype(np.float32)
    words = fingerprint(np.concatenate([voice, hiss]))
    tail = len(fingerprint(hiss)) - 1
    assert not words[-tail:].any()
    assert np.count_nonzero(words[:-tail]) > 0.7 * len(fingerprint(voice))


def test_a_fingerprint_is_small_and_repeatable(voice: Wave) -> None:
    words = fingerprint(voice)
    assert words.dtype == np.uint32
    assert words.nbytes <= 125 * len(voice) / RATE
    assert np.array_equal(words, fingerprint(voice.copy()))
    assert np.count_nonzero(words == NOTHING) < 0.3 * len(words)


def test_bits_by_the_formula_of_the_paper() -> None:
    """One tone fades and another one grows, so the signs of their bands can be derived by hand."""
    time = np.arange(2 * RATE) / RATE
    fading = np.linspace(1, 0.1, len(time)) * np.sin(2 * np.pi * 500 * time)
    growing = np.linspace(0.1, 1, len(time)) * np.sin(2 * np.pi * 1460 * time)
    words = fingerprint((0.3 * (fading + growing)).astype(np.float32))
    edges = np.geomspace(300, 2000, 34)
    band = {hz: int(np.searchsorted(edges, hz)) - 1 for hz in (500, 1460)}
    middle = np.unpackbits(words[20:-20].astype(">u4").view(np.uint8).reshape(-1, 4), axis=1)
    # E[m] - E[m+1] falls if band m fades or band m + 1 grows, and rises in the opposite cases.
    assert not middle[:, band[500]].any() and middle[:, band[500] - 1].all()
    assert middle[:, band[1460]].all() and not middle[:, band[1460] - 1].any()


def test_bit_errors_by_hand() -> None:
    rng = np.random.default_rng(0)
    a: Words = rng.integers(1, 2**32, 100, np.uint32)
    b = a.copy()
    b[:50] ^= np.uint32(0b1111)  # 200 of 3200 bits
    assert bit_errors(a, b, 1.0) == 200 / 3200
    assert bit_errors(a, a[10:], 0.9) == 0
    assert bit_errors(a[10:], a, 0.9) == 0
    assert bit_errors(a, a[11:], 0.9) == 1.0  # this fingerprint is too short to match
    b[50:60] = NOTHING
    assert bit_errors(a, b, 1.0) == 200 / 2880
    assert 0.4 < bit_errors(a, rng.integers(1, 2**32, 100, np.uint32), 0.8) < 0.5


def test_many_segments_are_not_compared_pair_by_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    """500 copies of an advert among 1000 other segments.

    Each segment is compared with few others, and one copy of the advert stays.
    """
    rng = np.random.default_rng(0)
    advert = rng.integers(1, 2**32, 200, np.uint32)
    prints = {f"{n:05d}": rng.integers(1, 2**32, 200, np.uint32) for n in range(1500)}
    for key in list(prints)[::3]:
        noise = np.where(rng.random(200) < 0.5, np.uint32(1) << rng.integers(0, 32, 200, np.uint32), np.uint32(0))
        prints[key] = advert ^ noise
    calls = 0

    def counted(first: Words, second: Words, min_overlap: float) -> float:
        nonlocal calls
        calls += 1
        return bit_errors(first, second, min_overlap)

    monkeypatch.setattr(duplicates, "bit_errors", counted)
    result = find_duplicates(prints, dict.fromkeys(prints, ""), dict.fromkeys(prints, 6.4))
    assert result == dict.fromkeys(list(prints)[3::3], "00000")
    assert calls < 600
