"""The histogram of durations: small error, exact merging."""

from random import Random

import pytest

from load.histogram import Histogram, bucket, top


def test_a_value_read_back_is_at_most_one_sixtyfourth_too_high():
    """Every bucket's top is never below a value it holds and at most 1/64 above it."""
    for micros in [*range(5000), 10**6, 123_456_789, 3_600_000_000]:
        assert micros <= top(bucket(micros)) <= micros * (1 + 1 / 64)


def test_buckets_follow_each_other_without_a_gap():
    """The value after a bucket's top is in the next bucket."""
    for index in range(2000):
        assert bucket(top(index)) == index
        assert bucket(top(index) + 1) == index + 1


@pytest.mark.parametrize("percent", [0, 1, 50, 90, 99, 99.9, 100])
def test_percentiles_agree_with_sorting(percent):
    """A percentile is the one of the sorted values, within a bucket's width."""
    values = [Random(1).expovariate(20) for _ in range(1)] + [Random(n).expovariate(20) for n in range(4000)]
    place = max(0, -(-len(values) * percent // 100) - 1)
    exact = sorted(values)[int(place)]
    assert Histogram.of(values).percentile(percent) == pytest.approx(exact, rel=1 / 60, abs=2e-6)


def test_merging_is_exact():
    """The sum of two histograms is the histogram of both streams, also by way of JSON."""
    left, right = [0.001, 0.5, 0.02], [0.3, 0.0, 4.2, 0.02]
    both = Histogram.of(left) + Histogram.from_json(Histogram.of(right).to_json())
    assert both.counts == Histogram.of(left + right).counts
    assert len(both) == 7


def test_an_empty_histogram_has_no_percentiles():
    """Without values there is nothing to say, which is not 0."""
    assert Histogram().percentiles_ms(50) == {"p50": None}
