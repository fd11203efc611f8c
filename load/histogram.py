"""A mergeable log-linear histogram of durations, in the manner of HdrHistogram.

Values are whole microseconds. Below 128 they are kept exactly; above, each power of two is cut into 64
buckets, so a value read back is at most 1/64 (1.6 %) above the one that went in. Two histograms add up to
exactly the one that would have seen both streams. No maintained package in the lock does this.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import ceil
from typing import Self

EXACT = 128
CUTS = 6  # 2**6 buckets to a power of two


class Histogram:
    """Counts by bucket; grows with the number of distinct buckets, not of values."""

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: Counter[int] = Counter(counts or {})

    @classmethod
    def of(cls, durations: Iterable[float]) -> Self:
        """A histogram of durations given in seconds; negative ones count as 0."""
        made = cls()
        made.counts.update(bucket(max(0, round(duration * 1e6))) for duration in durations)
        return made

    def __add__(self, other: Self) -> "Histogram":
        """The histogram of both streams, exactly."""
        return Histogram(self.counts + other.counts)

    def __len__(self) -> int:
        """How many values were counted."""
        return self.counts.total()

    def percentile(self, percent: float) -> float | None:
        """The duration in seconds that `percent` of the values do not exceed; None if there are none."""
        wanted = max(1, ceil(len(self) * percent / 100 - 1e-9))
        seen = 0
        for index in sorted(self.counts):
            seen += self.counts[index]
            if seen >= wanted:
                return top(index) / 1e6
        return None

    def percentiles_ms(self, *percents: float) -> dict[str, float | None]:
        """`{"p50": 1.2, ...}` in milliseconds."""
        found = {f"p{percent:g}": self.percentile(percent) for percent in percents}
        return {name: None if value is None else round(value * 1000, 3) for name, value in found.items()}

    def to_json(self) -> dict[str, int]:
        """Counts by bucket number, as JSON can carry them."""
        return {str(index): self.counts[index] for index in sorted(self.counts)}

    @classmethod
    def from_json(cls, counts: Mapping[str, int]) -> Self:
        """The inverse of `to_json`."""
        return cls({int(index): n for index, n in counts.items()})


def bucket(micros: int) -> int:
    """The number of the bucket that holds this many microseconds."""
    if micros < EXACT:
        return micros
    shift = micros.bit_length() - CUTS - 1
    return (shift << CUTS) + (micros >> shift)


def top(index: int) -> int:
    """The largest number of microseconds that bucket `index` holds."""
    if index < EXACT:
        return index
    shift = (index >> CUTS) - 1
    mantissa = (index & (1 << CUTS) - 1) | 1 << CUTS
    return (mantissa + 1 << shift) - 1
