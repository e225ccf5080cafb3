"""Measurements. ``make bench`` prints their tables."""
