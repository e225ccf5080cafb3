"""Serving pictures to those who may see them."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpResponseBase, HttpResponseNotModified
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from annotator.accounts.states import EVERYONE
from annotator.accounts.views import SiteView
from annotator.core.errors import NotFound

from .models import StoredImage
from .queries import image_path
from .storage import EXTENSIONS, VARIANTS


class ImageView(SiteView):
    """One variant of a picture. Content never changes, so it is cached for good (privately)."""

    access = {"GET": EVERYONE}

    @extend_schema(
        operation_id="image",
        responses={(200, "image/webp"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    def get(self, request: Request, image_id: int, variant: str) -> HttpResponseBase:
        if variant not in VARIANTS:
            raise NotFound()
        image = get_object_or_404(StoredImage, pk=image_id, site__in=self.sites)
        etag = f'"{image.sha256}-{variant}"'
        if request.headers.get("If-None-Match") == etag:
            return HttpResponseNotModified(headers={"ETag": etag})
        extension = EXTENSIONS[image.format] if variant == "original" else "webp"
        mime = {"jpg": "jpeg", "tif": "tiff"}.get(extension, extension)
        try:
            file = default_storage.open(image_path(image, variant))
        except FileNotFoundError as error:
            raise NotFound() from error
        response = FileResponse(file, content_type=f"image/{mime}")
        response.headers["ETag"] = etag
        response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
        response.headers["Content-Disposition"] = (
            f'inline; filename="{image.sha256[:12]}.{extension}"'
        )
        return response
