"""What the server counts and measures, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from inference.serving.gpu import Gpus

PREFIX = "warevision_recognizer"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120)
Sample = tuple[tuple[str, ...], float]


class Metrics:
    """The registry of one server. Names, units and labels follow Prometheus' conventions."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter, histogram = self._counter, self._histogram
        self.requests = counter("requests", "Requests answered.", "route", "status")
        self.pictures = counter("pictures", "Pictures answered.", "outcome")
        self.ranked = counter("ranked", "Descriptions ranked.")
        self.rejections = counter("rejections", "Requests turned away early.", "route", "reason")
        self.abandoned = counter("abandoned", "Requests given up.", "route", "reason")
        self.restarts = counter("restarts", "Model processes replaced.", "pool", "reason")
        self.failed_starts = counter("failed_starts", "Model processes not started.", "pool")
        self.retries = counter("retries", "Jobs tried again after a fault.", "pool", "reason")
        self.given_up = counter("given_up", "Jobs that ended too many processes.", "pool", "reason")
        self.cache = counter("cache_lookups", "Looks into the result cache.", "result")
        self.stage_s = histogram(
            "stage_seconds", "Time by stage of a request.", _SECONDS, "route", "stage"
        )
        self.batch_size = histogram(
            "batch_size", "Pictures in a call of a model.", (1, 2, 4, 8, 16, 32, 64), "pool"
        )

    def gauge(
        self, name: str, text: str, labels: tuple[str, ...], read: Callable[[], Iterable[Sample]]
    ) -> None:
        """A gauge whose samples are read when Prometheus asks."""
        self.registry.register(_Read(f"{PREFIX}_{name}", text, labels, read))

    def watch_gpus(self, gpus: Gpus) -> None:
        """Tell utilisation and memory of every graphics card."""
        self.registry.register(_GpuCollector(gpus))

    def render(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(f"{PREFIX}_{name}", text, labels, buckets=buckets, registry=self.registry)


class _Read(Collector):
    def __init__(
        self, name: str, text: str, labels: tuple[str, ...], read: Callable[[], Iterable[Sample]]
    ) -> None:
        self._describe = (name, text, labels)
        self._read = read

    def collect(self) -> Iterable[Metric]:
        name, text, labels = self._describe
        family = GaugeMetricFamily(name, text, labels=labels)
        for values, value in self._read():
            family.add_metric(values, value)
        yield family


class _GpuCollector(Collector):
    def __init__(self, gpus: Gpus) -> None:
        self._gpus = gpus

    def collect(self) -> Iterable[Metric]:
        labels = ("gpu", "name")
        used = GaugeMetricFamily(f"{PREFIX}_gpu_utilisation", "Busy, in 0 to 1.", labels=labels)
        taken = GaugeMetricFamily(f"{PREFIX}_gpu_memory_used_bytes", "Memory taken.", labels=labels)
        total = GaugeMetricFamily(f"{PREFIX}_gpu_memory_bytes", "Memory there is.", labels=labels)
        for card in self._gpus.read():
            at = (str(card.index), card.name)
            used.add_metric(at, card.utilisation)
            taken.add_metric(at, float(card.used_bytes))
            total.add_metric(at, float(card.total_bytes))
        yield from (used, taken, total)
