"""What Prometheus sees of a gateway process. Each process counts for itself; summing up is Prometheus' work."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The numbers of one process, in a registry of their own so that tests and workers do not share them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.accepted = Counter("smslab_accepted", "Orders on disk and answered with 200", registry=self.registry)
        self._refused = Counter("smslab_refused", "Requests refused, by code", ["code"], registry=self.registry)
        self.refused = {f"1000{n}": self._refused.labels(f"1000{n}") for n in range(1, 8)}
        self.indeterminate = Counter(
            "smslab_indeterminate", "Orders whose commit could not be learned in time", registry=self.registry
        )
        self.batch = Histogram(
            "smslab_commit_batch_orders", "Orders per commit", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=self.registry,
        )  # fmt: skip
        self.backlog = Gauge("smslab_backlog_orders", "Orders waiting for the carrier", registry=self.registry)
        self.oldest = Gauge("smslab_backlog_oldest_seconds", "Age of the oldest of them", registry=self.registry)
        self.attempts = Counter(
            "smslab_attempts",
            "What attempts at the carrier came to, per order",
            ["outcome"],
            registry=self.registry,
        )
        self.submission = Histogram(
            "smslab_submission_seconds",
            "Duration of one call to the carrier",
            buckets=LATENCIES,
            registry=self.registry,
        )
        self.request = Histogram(
            "smslab_request_seconds",
            "Time from a send request to its answer",
            buckets=LATENCIES,
            registry=self.registry,
        )

    def text(self) -> bytes:
        """The exposition, in Prometheus' text format."""
        return generate_latest(self.registry)
