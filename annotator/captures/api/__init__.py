"""A capture as every page shows it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from annotator.media.queries import image_urls

from ..models import Capture


class ImageUrlsSerializer(serializers.Serializer[Any]):
    thumb = serializers.CharField()
    display = serializers.CharField()
    original = serializers.CharField()


class CaptureSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    image_id = serializers.CharField()
    cam_type = serializers.CharField(allow_blank=True)
    width = serializers.IntegerField(help_text="Pixels of the upright picture.")
    height = serializers.IntegerField(help_text="Pixels of the upright picture.")
    images = ImageUrlsSerializer()
    sharpness = serializers.FloatField()
    exposure = serializers.FloatField()
    created_at = serializers.DateTimeField()
    duplicate_of = serializers.IntegerField(allow_null=True)
    weight_g = serializers.FloatField(
        allow_null=True, help_text="What the goods were weighed at, in grams."
    )


def capture_json(capture: Capture) -> dict[str, Any]:
    """A capture as every page shows it. Needs ``image``."""
    return {
        "id": capture.pk,
        "image_id": capture.image_id_text,
        "cam_type": capture.cam_type,
        "width": capture.image.width,
        "height": capture.image.height,
        "images": image_urls(capture.image_id),
        "sharpness": capture.image.sharpness,
        "exposure": capture.image.exposure,
        "created_at": capture.created_at,
        "duplicate_of": capture.duplicate_of_id,
        "weight_g": capture.weight_g,
    }
