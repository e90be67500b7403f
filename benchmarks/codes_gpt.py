"""The second part of ``benchmarks.codes``: a small GPT is trained on the codes of a variant, and speaks."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.codes_study import Study, Variant, history, minutes
from benchmarks.judges import character_errors
from triforce_tts import Synthesizer
from triforce_tts.audio.edit import join
from triforce_tts.evaluation.statistics import interval
from triforce_tts.locks import only_writer
from triforce_tts.models.layers import count_parameters
from triforce_tts.models.load import load_gpt
from triforce_tts.shards import INDEX, Sample, ShardSet, read_index, write_index, write_shard


def study_gpt(study: Study, variant: Variant) -> dict[str, Any]:
    """Train a small GPT on the codes of ``variant``; measure its held-out likelihood and its speech."""
    folder, options = study.folder(variant), study.options
    run, codes = folder / "gpt", folder / "codes"
    choose_lessons(study)
    study.call(
        "codes", "--dvae", folder / "dvae", "--data", study.lessons, "--out", codes, "--workers", options.threads
    )
    more = [f"run.validate_samples={options.validate}", *options.gpt_overrides]
    study.fit("gpt", options.gpt_config, run, options.gpt_steps, [codes], more)
    last = history(run)[-1]
    errors, ended = spoken(study, variant)
    return {
        "parameters": count_parameters(load_gpt(run)[0]),
        "minutes": minutes(run),
        "nats_per_code": last["speech_loss"],
        "nats_per_code_shuffled_text": last["shuffled_text_loss"],
        "bits_per_second": last["bits_per_second"],
        "spoken_character_error": interval(errors),
        "ended_by_itself": interval(ended),
    }


def choose_lessons(study: Study) -> None:
    """Shards of at most --lesson-hours of each speaker, no clip over --longest seconds: every variant codes these."""
    with only_writer(study.lessons):
        if (study.lessons / INDEX).is_file():
            return
        folders = study.options.lessons or study.options.data
        shards = {split: ShardSet.open(folders, split, "audio") for split in ("train", "heldout")}
        chosen = {
            split: first_hours(s, study.options.lesson_hours, study.options.longest) for split, s in shards.items()
        }
        splits = {
            split: [write_shard(study.lessons / f"{split}-00000.tar", copied(shards[split], numbers))]
            for split, numbers in chosen.items()
        }
        write_index(study.lessons, "audio", splits, read_index(folders[0], "audio")["details"])


def first_hours(shards: ShardSet, hours: float, longest: float) -> list[int]:
    """The first ``hours`` of each speaker, without clips that are longer than ``longest`` seconds."""
    heard: dict[str, float] = {}
    chosen = []
    for index, (speaker, seconds) in enumerate(zip(shards.speakers, shards.durations_s, strict=True)):
        if seconds <= longest and heard.get(speaker, 0.0) < 3600 * hours:
            heard[speaker] = heard.get(speaker, 0.0) + seconds
            chosen.append(index)
    return chosen


def copied(shards: ShardSet, numbers: Sequence[int]) -> Iterator[Sample]:
    """The samples with these numbers, unchanged."""
    for i in numbers:
        yield Sample(shards.keys[i], shards.meta(i), shards.payload(i), shards.extension(i))


def make_model(study: Study, variant: Variant) -> Path:
    """A model folder of the variant's two networks.

    A model needs stage 3 too; it is not used here and trained for one step only.
    """
    folder = study.folder(variant)
    model, third, dvae = folder / "model", folder / "diffusion", folder / "dvae"
    quick = ["run.steps=1", "run.minutes=0", "run.validate_every=0", "run.workers=0", "run.batch_size=1"]
    chosen = [word for setting in quick for word in ("--set", setting)]
    study.call(
        "train", "diffusion", "--config", "tiny", "--data", study.lessons, "--dvae", dvae, "--run", third, *chosen
    )
    voice = next(iter(clips_by_speaker(study).values()))
    runs = ("--dvae", dvae, "--gpt", folder / "gpt", "--diffusion", third)
    study.call("bundle", *runs, "--name", variant.folder, "--voice", voice, "--out", model)
    return model


def clips_by_speaker(study: Study) -> dict[str, Path]:
    """A training clip of each speaker of the lessons, as a file: the longest of the first hundred."""
    shards = ShardSet.open([study.lessons], "train", "audio")
    clips = {}
    for speaker, numbers in shards.by_speaker.items():
        chosen = max(numbers[:100], key=lambda i: shards.durations_s[i])
        clips[speaker] = study.lessons / f"{shards.keys[chosen]}.{shards.extension(chosen)}"
        if not clips[speaker].is_file():
            clips[speaker].write_bytes(shards.payload(chosen))
    return clips


def spoken(study: Study, variant: Variant) -> tuple[list[float], list[float]]:
    """The recogniser's error for held-out sentences, and whether each ended by itself.

    Each sentence is spoken in the voice of its recording.
    """
    synthesizer = Synthesizer.load(make_model(study, variant), "cpu")
    synthesizer.settings = replace(synthesizer.settings, diffusion_steps=0)
    lessons, clips = ShardSet.open([study.lessons], "heldout", "audio"), clips_by_speaker(study)
    chosen = [i for i in range(len(lessons)) if lessons.speakers[i] in clips][
        :: max(1, len(lessons) // study.options.spoken)
    ]
    voices = {speaker: synthesizer.voice(clip) for speaker, clip in clips.items()}
    sounds, texts, ended = [], [], []
    for index in chosen[: study.options.spoken]:
        texts.append(lessons.meta(index)["text"])
        parts = list(synthesizer.sentences(texts[-1], voices[lessons.speakers[index]], study.options.seed))
        sounds.append(join([p.samples for p in parts], [p.pause_s for p in parts[:-1]], synthesizer.audio.sample_rate))
        ended.append(float(all(part.ended for part in parts)))
    return character_errors(sounds, synthesizer.audio.sample_rate, texts, study.options.threads), ended
