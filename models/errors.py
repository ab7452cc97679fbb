"""The error that is meant for the user's eyes."""


class SeqlineError(Exception):
    """A mistake in the settings or the data, or a limit of the machine: shown as one message, without a stack trace.

    The message says the rule, the value received and the way out.
    """
