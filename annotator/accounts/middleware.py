"""The language of a request: the signed-in person's own, else what the browser asks for."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from .models import User


def speak_the_users_language(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    def handle(request: HttpRequest) -> HttpResponse:
        language = translation.get_language_from_request(request)
        asked = "Accept-Language" in request.headers
        if "sessionid" in request.COOKIES and isinstance(request.user, User):
            language = request.user.language
        elif not asked:
            language = "zh-hans"
        with translation.override(language):
            return get_response(request)

    return handle
