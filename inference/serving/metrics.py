"""Counters in Prometheus' text format, without a dependency."""

from __future__ import annotations

import threading
from collections.abc import Mapping


class Metrics:
    """Thread-safe counters and gauges. Names follow Prometheus' conventions."""

    def __init__(self, prefix: str = "warevision_recognizer") -> None:
        self._prefix = prefix
        self._lock = threading.Lock()
        self._counters: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}

    def add(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Add to the counter ``name`` with these labels."""
        key = (name, tuple(sorted(labels.items())))
        with self._lock:
            self._counters[key] = self._counters.get(key, 0.0) + value

    def render(self, gauges: Mapping[str, float]) -> str:
        """All counters and the given gauges as Prometheus text."""
        with self._lock:
            counters = sorted(self._counters.items())
        lines: list[str] = []
        previous = ""
        for (name, labels), value in counters:
            if name != previous:
                lines.append(f"# TYPE {self._prefix}_{name} counter")
                previous = name
            text = ",".join(f'{key}="{_escape(v)}"' for key, v in labels)
            braces = f"{{{text}}}" if text else ""
            lines.append(f"{self._prefix}_{name}{braces} {value:g}")
        for name, value in sorted(gauges.items()):
            lines.append(f"# TYPE {self._prefix}_{name} gauge")
            lines.append(f"{self._prefix}_{name} {value:g}")
        return "\n".join(lines) + "\n"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
