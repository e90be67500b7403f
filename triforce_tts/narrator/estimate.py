"""The length that a narration will have, before its lines are spoken.

The length by which each line is checked, ``predicted_s``, comes from the training data, whose recordings are silent at both ends.
That silence is cut from lines, so they are shorter, and a whole book would be announced as a fifth too long.
"""

from collections.abc import Mapping

from triforce_tts.narrator.lines import LineRecord
from triforce_tts.narrator.master import Profile
from triforce_tts.narrator.plan import Plan
from triforce_tts.synthesis.script import spoken_length

# Lines last so much of what the training data predicts: 199 lines of The Time Machine by nano, 963 s of 1160.
USUAL_SHARE = 0.83
_LEAST_SPOKEN_S = 60.0  # lines with so many seconds of sound say more of a voice than the figure above


def expected_s(plan: Plan, records: Mapping[str, LineRecord], profile: Profile) -> float:
    """The seconds of the narration with its pauses; the ``records`` of lines that are spoken already, by their keys, make it surer."""
    predicted = {line.key: spoken_length(line.text) / plan.characters_per_second for line in plan.lines}
    spoken = {key: records[key].seconds for key in predicted if key in records and records[key].samples}
    spoken_s = sum(spoken.values())
    share = spoken_s / sum(predicted[key] for key in spoken) if spoken_s >= _LEAST_SPOKEN_S else USUAL_SHARE
    lines_s = sum(spoken.get(line.key, share * predicted[line.key]) + line.pause_s for line in plan.lines)
    return lines_s + sum(_around_s(part.lines[-1].pause_s, profile) for part in plan.parts if part.lines)


def _around_s(last_pause_s: float, profile: Profile) -> float:
    """The silence that a profile adds around a chapter, whose last line has this pause without it."""
    return profile.head_s + (0.0 if profile.tail_s is None else profile.tail_s - last_pause_s)
