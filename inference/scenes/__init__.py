"""Synthetic warehouse scenes: a seeded renderer of goods whose every truth is known.

``python -m inference.scenes OUT --scenes N --seed S`` writes a data set in the platform's layout.
"""

from .arrangement import DEMO_MIX, TRAINING_MIX, Mix
from .catalog import CATEGORY_PARENTS, SkuTruth, demo_catalog
from .invention import invented_catalog
from .render import (
    CAM_TYPES,
    CamType,
    Scene,
    SceneTruth,
    ViewTruth,
    render_reference,
    render_scene,
)

__all__ = [
    "CAM_TYPES",
    "CATEGORY_PARENTS",
    "DEMO_MIX",
    "TRAINING_MIX",
    "CamType",
    "Mix",
    "Scene",
    "SceneTruth",
    "SkuTruth",
    "ViewTruth",
    "demo_catalog",
    "invented_catalog",
    "render_reference",
    "render_scene",
]
