"""What a command's exit code says. One table for the whole suite; CI pipelines branch on it."""

from enum import IntEnum


class Exit(IntEnum):
    """The five answers of every command."""

    FINE = 0
    WRONG = 1  # the thing under test is wrong
    USAGE = 2  # the command was given something it cannot work with
    COULD_NOT_TEST = 3  # down, wrong key, throttled: nothing is known
    NOT_ALL_REACHED = 4  # fine as far as it could be reached
