"""What a user can do wrong, as one tree of exceptions; each message is one sentence that names the file and the place."""


class CrenelError(Exception):
    """Something outside Crenel is at fault: an argument, a file, a profile, the machine. Never malformed traffic."""


class UsageError(CrenelError):
    """An option, a date, a network or a target that cannot be understood."""


class CaptureError(CrenelError):
    """A file that is not a capture, or a capture from which nothing could be read."""


class ProfileError(CrenelError):
    """A wall, vantage, list or source file that breaks the schema or contradicts itself."""


class StrategyError(CrenelError):
    """An evasion strategy that cannot be parsed or applied."""


class LabError(CrenelError):
    """The machine cannot run a lab, or a lab could not be built."""


class MissingExtraError(CrenelError):
    """An optional dependency is absent; the message names the extra that brings it."""
