"""Speed of the builder's signal steps on one core, beside the bare library calls: ``python -m benchmarks.build``.

An artificial recording (the clips of tests/speech with pauses, as a stereo mp3 at 44.1 kHz and 128 kbit/s) goes through
decoding, voice activity, cutting, screening and encoding. Each figure is the median of five, in seconds of sound a
second of processor time; the bare call does nothing but what the library must: it is given its input in memory and
throws its output away. ``share`` is the step's speed against it, measured in turn. DNSMOS and screening are measured on
the first minutes of what is kept.

The peak memory is of a new process that takes the whole recording (``--hours``) once through all steps but screening.
"""

import argparse
import io
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soundfile as sf
import soxr
import torch

from benchmarks.speed import cpu_name
from triforce_tts.audio.decoding import open_container
from triforce_tts.audio.io import OPUS_BIT_RATE, Audio, encode_flac, encode_opus, read_audio
from triforce_tts.data.common.segments import ANALYSIS_RATE, Segment
from triforce_tts.data.raw.sound import FileSound, decode
from triforce_tts.data.steps import vad as vad_network
from triforce_tts.data.steps.cut import CutConfig, cut
from triforce_tts.data.steps.screen import ScreenConfig, screen
from triforce_tts.data.steps.vad import VadConfig, speech_probabilities, speech_spans
from triforce_tts.judges import dnsmos as dnsmos_network
from triforce_tts.judges.networks import session

Wave = npt.NDArray[np.float32]
SPEECH = Path(__file__).parents[1] / "tests" / "speech"
ROUNDS = 5
SOURCE_RATE, STORED_RATE = 44100, 24000  # Hz
MP3_BIT_RATE = 128000
CHAPTER_S = 360.0  # so much sound is encoded once and then repeated
SCREENED_S, JUDGED_S = 300.0, 60.0  # seconds of kept segments that are screened and judged; DNSMOS is slow


@dataclass(frozen=True)
class Speed:
    """Processor time of each round for ``sound_s`` seconds of sound.

    ``bare`` is empty if no library call does the step.
    """

    name: str
    sound_s: float
    ours: tuple[float, ...]
    bare: tuple[float, ...] = ()

    @property
    def row(self) -> str:
        """A row of a Markdown table: times real time, the same for the bare call, and the share."""
        mine = f"{self.sound_s / statistics.median(self.ours):.0f}"
        if not self.bare:
            return f"| {self.name} | {mine} | | |"
        # The two measurements of a round are close in time, so whatever slows the machine down slows both.
        share = statistics.median(b / a for a, b in zip(self.ours, self.bare, strict=True))
        return f"| {self.name} | {mine} | {self.sound_s / statistics.median(self.bare):.0f} | {100 * share:.0f} % |"


def measure(name: str, sound_s: float, ours: Callable[[], object], bare: Callable[[], object] | None = None) -> Speed:
    """Measure both in turn, ``ROUNDS`` times after a warm-up."""
    both = [ours, *([bare] if bare else [])]
    seconds: list[list[float]] = [[] for _ in both]
    for number in range(ROUNDS + 1):
        for call, times in zip(both, seconds, strict=True):
            began = time.process_time()
            call()
            if number:
                times.append(time.process_time() - began)
    return Speed(name, sound_s, *map(tuple, seconds))


# --- the recording -------------------------------------------------------------------------------------------------


def chapter(seconds: float) -> Wave:
    """Utterances with pauses of 0.3 to 1.2 s over a faint hiss, [samples] at ``SOURCE_RATE``."""
    rng = np.random.default_rng(0)
    names = [json.loads(line)["audio"] for line in (SPEECH / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    clips = [read_audio(SPEECH / name, SOURCE_RATE).samples.numpy() for name in names]
    pieces: list[Wave] = []
    count, samples = 0, round(seconds * SOURCE_RATE)
    while count < samples:
        pause = np.zeros(round(rng.uniform(0.3, 1.2) * SOURCE_RATE), np.float32)
        pieces += [pause, clips[int(rng.integers(len(clips)))]]
        count += len(pieces[-2]) + len(pieces[-1])
    wave = np.concatenate(pieces)[:samples]
    hissing: Wave = wave + 10 ** (-65 / 20) * rng.standard_normal(len(wave)).astype(np.float32)
    return hissing


def write_recording(path: Path, hours: float) -> float:
    """A stereo mp3 of about ``hours`` at ``path``, and its length in seconds.

    An mp3 without a header for its length is only a row of frames, so the encoded parts can be joined.
    """
    wave = chapter(min(CHAPTER_S, hours * 3600))
    pcm = np.repeat((wave.clip(-1, 1) * 32767).astype(np.int16), 2)[None]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3", options={"write_xing": "0", "id3v2_version": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=SOURCE_RATE, layout="stereo")
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = MP3_BIT_RATE
        for packet in _packets(stream, pcm, 2, SOURCE_RATE):
            container.mux(packet)
    repeats = max(1, round(hours * 3600 / (len(wave) / SOURCE_RATE)))
    with path.open("wb") as file:
        for _ in range(repeats):
            file.write(buffer.getvalue())
    return repeats * len(wave) / SOURCE_RATE


def _packets(stream: av.AudioStream, pcm: npt.NDArray[np.int16], channels: int, rate: int) -> Iterator[av.Packet]:
    """``pcm`` [1, samples * channels], encoded."""
    frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="stereo" if channels == 2 else "mono")
    frame.sample_rate, frame.pts = rate, 0
    yield from stream.encode(frame)
    yield from stream.encode(None)


# --- bare library calls ----------------------------------------------------------------------------------------------


def bare_decode(path: Path) -> None:
    """FFmpeg's decoder and soxr as a stream; channels are averaged, and nothing is stored."""
    resampler = soxr.ResampleStream(SOURCE_RATE, STORED_RATE, 1, dtype="float32")
    with open_container(path, str(path)) as container:
        for frame in container.decode(audio=0):
            resampler.resample_chunk(frame.to_ndarray().mean(axis=0))
    resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def bare_vad(wave: Wave, frames: int) -> None:
    """soxr and silero's network over ``wave`` [n] at ``STORED_RATE``, ``frames`` frames a call, without their overlap."""
    network = session("silero_vad", vad_network._FILE, vad_network._SHA256)
    heard = soxr.resample(wave, STORED_RATE, ANALYSIS_RATE)
    width = vad_network.FRAME + vad_network._CONTEXT
    # The number of frames is right; their content does not change the time.
    inputs = np.resize(heard, (-(-len(heard) // vad_network.FRAME), width))
    hidden = cell = np.zeros(vad_network._STATE, np.float32)
    for start in range(0, len(inputs), frames):
        feed = {"input": inputs[start : start + frames], "h": hidden, "c": cell}
        _, hidden, cell = network.run(None, feed)


def bare_dnsmos(windows: list[Wave]) -> None:
    network = session(dnsmos_network.PACKAGE, *dnsmos_network._P835)
    for window in windows:
        network.run(None, {"input_1": window[None]})


def bare_flac(pieces: list[Wave]) -> None:
    for wave in pieces:
        sf.write(io.BytesIO(), wave, STORED_RATE, format="FLAC", subtype="PCM_16")


def bare_opus(pieces: list[npt.NDArray[np.int16]]) -> None:
    """libopus alone, without writing a file."""
    for pcm in pieces:
        with av.open(io.BytesIO(), "w", format="ogg") as container:
            stream = container.add_stream("libopus", rate=STORED_RATE, layout="mono")
            assert isinstance(stream, av.AudioStream)
            stream.bit_rate = OPUS_BIT_RATE
            for _ in _packets(stream, pcm[None], 1, STORED_RATE):
                pass


# --- the steps -------------------------------------------------------------------------------------------------------


def segments_of(sound: FileSound) -> list[Segment]:
    probabilities = speech_probabilities(sound, VadConfig())
    return cut(speech_spans(probabilities, VadConfig()), sound, probabilities, CutConfig())


def audio_of(sound: FileSound, segments: list[Segment]) -> Iterator[Audio]:
    for segment in segments:
        if segment.kept:
            yield Audio(torch.from_numpy(sound.read(segment.start_s, segment.end_s)), sound.sample_rate)


def all_steps(path: Path, folder: Path) -> float:
    """All steps from a file to encoded samples, without screening; the seconds of sound that are kept."""
    sound = decode(path, folder, STORED_RATE)
    segments = segments_of(sound)
    for audio in audio_of(sound, segments):
        encode_flac(audio)
    sound.remove()
    return sum(segment.seconds for segment in segments if segment.kept)


def peak(path: Path, folder: Path) -> tuple[float, float, float]:
    """MiB of this process after ``all_steps``, MiB before it, and seconds of processor time."""
    torch.set_num_threads(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    all_steps(path, folder)
    took = time.process_time() - began
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, before / 1024, took


def first(segments: list[Segment], seconds: float) -> list[tuple[float, float]]:
    """Start and end of the first kept ``segments``, until they have ``seconds``."""
    spans: list[tuple[float, float]] = []
    for segment in segments:
        if segment.kept and sum(b - a for a, b in spans) < seconds:
            spans.append((segment.start_s, segment.end_s))
    return spans


def fresh(places: list[tuple[float, float]]) -> list[Segment]:
    """New segments without any measurements."""
    return [Segment(start, end) for start, end in places]


def steps(path: Path, folder: Path) -> list[Speed]:
    """The speed of every step over the recording at ``path``."""
    sound = decode(path, folder, STORED_RATE)
    length = sound.duration_s
    probabilities = speech_probabilities(sound, VadConfig())
    spans = speech_spans(probabilities, VadConfig())
    segments = cut(spans, sound, probabilities, CutConfig())
    speeds = [
        measure(
            "decode, resample", length, lambda: decode(path, folder, STORED_RATE).remove(), lambda: bare_decode(path)
        )
    ]
    wave = sound.read(0, length)
    frames = round(VadConfig().block_seconds / vad_network.FRAME_S)
    speeds.append(
        measure(
            "voice activity", length, lambda: speech_probabilities(sound, VadConfig()), lambda: bare_vad(wave, frames)
        )
    )
    speeds.append(measure("cut", length, lambda: cut(spans, sound, probabilities, CutConfig())))
    some, few = first(segments, SCREENED_S), first(segments, JUDGED_S)
    plain = ScreenConfig(dnsmos=False)
    # There is no threshold, because a segment that is dropped would not be judged by DNSMOS.
    asked = ScreenConfig(max_clipped=None, min_snr_db=None, max_tonality=None)
    windows = [_window(sound.read(start, end, ANALYSIS_RATE), at) for start, end in few for at in _windows(end - start)]
    speeds.append(measure("screen", sum(b - a for a, b in some), lambda: screen(sound, fresh(some), plain)))
    speeds.append(
        measure(
            "screen, DNSMOS",
            sum(b - a for a, b in few),
            lambda: screen(sound, fresh(few), asked),
            lambda: bare_dnsmos(windows),
        )
    )
    audios = list(audio_of(sound, segments))
    waves = [audio.samples.numpy() for audio in audios]
    pieces = [(wave * 32767).astype(np.int16) for wave in waves]
    kept_s = sum(audio.duration_s for audio in audios)
    speeds.append(measure("FLAC", kept_s, lambda: [encode_flac(a) for a in audios], lambda: bare_flac(waves)))
    speeds.append(measure("Opus", kept_s, lambda: [encode_opus(a) for a in audios], lambda: bare_opus(pieces)))
    speeds.append(measure("all but screen, with FLAC", length, lambda: all_steps(path, folder)))
    sound.remove()
    return speeds


def _windows(seconds: float) -> range:
    """The start of each window of DNSMOS in seconds.

    One for each second of a sound that is repeated until it fills a window.
    """
    window_s = dnsmos_network._WINDOW / ANALYSIS_RATE
    while seconds < window_s:
        seconds *= 2
    return range(int(seconds - window_s) + 1)


def _window(wave: Wave, at: int) -> Wave:
    return np.resize(np.roll(wave, -at * ANALYSIS_RATE), dnsmos_network._WINDOW)


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=1.0, help="of the recording whose memory is measured")
    parser.add_argument("--minutes", type=float, default=60.0, help="of the recording whose steps are timed")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # The variable is for the process whose memory is measured.
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # This process must start before its parent grows, because the system counts the memory of the parent at that
        # moment for both.
        with get_context("spawn").Pool(1) as pool:
            length = write_recording(folder / "long.mp3", arguments.hours)
            most, before, took = pool.apply(peak, (folder / "long.mp3", folder))
        write_recording(folder / "timed.mp3", arguments.minutes / 60)
        speeds = steps(folder / "timed.mp3", folder)
    print(f"{cpu_name()}, one thread, torch {torch.__version__}; {arguments.minutes:g} minutes, medians of {ROUNDS}")
    print("\n| step | times real time | bare library | share |\n|---|---|---|---|")
    print("\n".join(speed.row for speed in speeds))
    print(
        f"\n{length / 3600:.2f} h at once: peak memory {most:.0f} MiB, {before:.0f} MiB of it imports; "
        f"{length / took:.0f} times real time"
    )


if __name__ == "__main__":
    main()
