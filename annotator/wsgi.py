"""The WSGI application that web threads run."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.settings.dev")

application = get_wsgi_application()
