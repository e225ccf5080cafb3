"""What graphics cards are doing, through ``nvidia-ml-py`` where it and a card are there."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GpuReading:
    """``utilisation`` in 0…1; memory in bytes."""

    index: int
    name: str
    utilisation: float
    used_bytes: int
    total_bytes: int


class Gpus:
    """The cards of this machine; none where the library or the driver is missing."""

    def __init__(self) -> None:
        self._library: Any = None
        try:
            import pynvml  # of nvidia-ml-py

            pynvml.nvmlInit()
            self._library = pynvml
        except ImportError:
            logger.debug("nvidia-ml-py is not installed: nothing is told about graphics cards")
        except Exception as error:
            # without a driver the library is there but cannot be used
            logger.debug("No graphics card is told about: %s", error)

    def read(self) -> list[GpuReading]:
        """A reading of each card; empty when a reading fails."""
        library = self._library
        if library is None:
            return []
        try:
            readings = []
            for index in range(library.nvmlDeviceGetCount()):
                handle = library.nvmlDeviceGetHandleByIndex(index)
                memory = library.nvmlDeviceGetMemoryInfo(handle)
                name = library.nvmlDeviceGetName(handle)
                readings.append(
                    GpuReading(
                        index,
                        name.decode() if isinstance(name, bytes) else str(name),
                        library.nvmlDeviceGetUtilizationRates(handle).gpu / 100.0,
                        int(memory.used),
                        int(memory.total),
                    )
                )
            return readings
        except Exception as error:
            logger.warning("The graphics cards cannot be read: %s", error)
            return []
