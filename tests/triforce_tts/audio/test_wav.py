import io

import numpy as np
import soundfile as sf

from triforce_tts.audio.wav import wav_head

TAGS = {"software": "a program", "comment": "odd", "copyright": "no name in RIFF"}


def test_a_head_that_libsndfile_reads() -> None:
    pcm = np.arange(-500, 500, dtype="<i2")
    for samples in (None, len(pcm)):
        with sf.SoundFile(io.BytesIO(wav_head(24000, TAGS, samples) + pcm.tobytes())) as file:
            assert (file.samplerate, file.channels, file.subtype) == (24000, 1, "PCM_16")
            assert (file.software, file.comment) == ("a program", "odd")
            assert np.array_equal(file.read(dtype="int16"), pcm)
