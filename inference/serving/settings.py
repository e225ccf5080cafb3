"""Every bound of the inference server, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What the server runs and how much it may cost. Raises :class:`ValueError` on nonsense."""

    sites: Path
    """Folder of site logs."""
    models: Path | None = None
    """Folder of the models that requests name, each called as its digest."""
    recognizer: str = "inference.local.LocalRecognizer"
    """Dotted path of what each model process makes, from ``sites`` and
    ``recognizer_options``."""
    recognizer_options: Mapping[str, Any] = field(default_factory=dict)
    pass_environment: tuple[str, ...] = ()
    """Names of variables that model processes get besides those that libraries need."""

    workers: int = 1
    """Processes that describe pictures, one batch at a time each. One more ranks."""
    spares: int = 0
    """Describing processes that wait, warm, to take the place of one that dies."""
    max_batch: int = 8
    max_wait_ms: float = 10.0
    """How long a picture waits for companions in its batch."""
    max_batch_ms: float = 1000.0
    """A batch is kept so small that it probably takes no longer: what is urgent must not wait for
    it. Engines that do one picture after the other get small batches, fast ones full ones."""

    normal_capacity: int = 1024
    urgent_capacity: int = 256
    """Pictures that may wait in each lane."""
    normal_share: float = 0.2
    """Part of the pictures served that are normal ones while both lanes are full."""
    rank_capacity: int = 256
    max_waiting_mb: int = 512
    """Bodies of all requests that are read, wait or are answered."""

    deadline_s: float = 120.0
    """For one request; callers may ask for less by ``X-Deadline-Ms``."""
    call_limit_s: float = 30.0
    """For one call of a model. One that takes longer than this, or than anybody waits, hangs."""
    kill_grace_s: float = 2.0
    """A process that hangs is killed so long after that."""
    start_limit_s: float = 180.0
    """For a model process to load its models."""
    tries: int = 4
    """Calls in which a picture may have part that end in a fault of the process."""
    stale_wait_s: float = 0.5
    """How long a request waits for a change that this replica has not seen yet."""

    memory_mb: int = 2048
    """Resident memory of one model process, and what it may allocate beyond what its models took;
    0 for no limit. One that is above is replaced, far above killed."""
    cache_mb: int = 64
    """Descriptions kept by the content of their picture."""

    max_body_mb: int = 80
    max_images: int = 32
    max_descriptions: int = 256
    log_level: str = "INFO"

    def __post_init__(self) -> None:
        for name in ("workers", "max_batch", "normal_capacity", "urgent_capacity", "tries"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        for name in ("deadline_s", "call_limit_s", "start_limit_s", "max_batch_ms"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive")
        for name in ("spares", "max_wait_ms", "kill_grace_s", "memory_mb", "cache_mb"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")
        if not 0.0 <= self.normal_share < 1.0:
            raise ValueError("normal_share must be in 0…1, below 1")
