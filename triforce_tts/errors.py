"""The errors a user can cause. Each message says what was wrong, the value, what was expected, what to do.

The command line prints them as one line on stderr and exits with code 2; anything else is a bug and
shows its traceback.
"""


class TriforceError(Exception):
    """Base of every error that a user can cause and mend."""


class AudioError(TriforceError):
    """An audio file or clip that cannot be used; the message names it."""


class ConfigError(TriforceError):
    """A configuration that is wrong; the message lists every problem with its dotted key."""


class CheckpointError(TriforceError):
    """A checkpoint that is missing, damaged, or does not belong with another; both sides are named."""


class ShardError(TriforceError):
    """Shards that are missing, damaged or of the wrong kind."""


class TextError(TriforceError):
    """Text that cannot be spoken: empty, without a speakable character, or too long."""
