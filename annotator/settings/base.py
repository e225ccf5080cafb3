"""Settings that every environment shares."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF, UNSAFE_INLINE

from .env import ROOT, env

BASE_DIR = ROOT
HOME: Path = env.home
LICENCE = env.licence
FRONTEND_DIST = ROOT / "frontend" / "dist"

DEBUG = False
SECRET_KEY = env.secret_key
ALLOWED_HOSTS = env.allowed_hosts
CSRF_TRUSTED_ORIGINS = env.trusted_origins

APPS = [
    "annotator.core",
    "annotator.accounts",
    "annotator.media",
    "annotator.catalog",
    "annotator.modelhub",
    "annotator.captures",
    "annotator.suggestions",
    "annotator.labeling",
    "annotator.review",
    "annotator.quality",
    "annotator.datasets",
    "annotator.training",
    "annotator.pipeline",
]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_prometheus",
    "rest_framework",
    "drf_spectacular",
    *APPS,
]

MIDDLEWARE = [
    "annotator.core.middleware.request_ids",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "annotator.core.middleware.probes",
    "annotator.core.middleware.answer_errors_as_problems",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "annotator.accounts.middleware.speak_the_users_language",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "annotator.urls"
WSGI_APPLICATION = "annotator.wsgi.application"
TEMPLATES: list[dict[str, Any]] = []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- database ------------------------------------------------------------------------------

SQLITE_OPTIONS: dict[str, Any] = {
    # Writers queue at BEGIN rather than fail at their first write.
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    # FULL keeps acknowledged commits through a power loss.
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA mmap_size=134217728;"
        "PRAGMA cache_size=-32000; PRAGMA foreign_keys=ON;"
    ),
}


def database(url: str) -> dict[str, Any]:
    """The Django configuration of one database URL (empty: SQLite in HOME)."""
    config: dict[str, Any] = dict(
        dj_database_url.parse(url or f"sqlite:///{HOME / 'warevision.sqlite3'}")
    )
    config["CONN_MAX_AGE"] = 600
    config["CONN_HEALTH_CHECKS"] = True
    if "sqlite" in str(config["ENGINE"]):
        config["ENGINE"] = "annotator.core.sqlite"
        config["OPTIONS"] = SQLITE_OPTIONS
    return config


DATABASES = {"default": database(env.database_url)}

if env.cache_url:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": env.cache_url,
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- people --------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["annotator.accounts.authentication.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.secure_cookies
CSRF_FAILURE_VIEW = "annotator.core.http.csrf_failure"

# --- language and time ---------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English"), ("ja", "日本語")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- files ---------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [FRONTEND_DIST] if FRONTEND_DIST.is_dir() else []
STATIC_ROOT = HOME / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/assets/.+-[A-Za-z0-9_-]{8}\."

if env.s3_bucket:
    _PICTURES: dict[str, Any] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {"bucket_name": env.s3_bucket, "endpoint_url": env.s3_endpoint_url or None},
    }
else:
    _PICTURES = {
        "BACKEND": "annotator.media.storage.DurableFileSystemStorage",
        "OPTIONS": {"location": str(HOME / "media")},
    }
STORAGES = {
    "default": _PICTURES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MAX_UPLOAD_BYTES = env.max_upload_mb * 2**20
MAX_PICTURE_PIXELS = env.max_picture_megapixels * 1_000_000
ZIP_MAX_BYTES = env.zip_max_mb * 2**20
ZIP_MAX_MEMBERS = 20_000
ZIP_MAX_TOTAL_BYTES = 20 * 2**30
ZIP_MAX_RATIO = 100
URLS_PER_REQUEST = 5_000
EGRESS_ALLOW = env.egress_allow
EGRESS_LIMIT_S = 60.0
INTAKE_SOURCES = env.intake_sources
DECODERS = env.decoders
DECODER_MEMORY_MB = env.decoder_memory_mb
DECODER_LIMIT_S = env.decoder_limit_s
UPLOAD_FILES_PER_REQUEST = env.upload_files_per_request
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 2**20
DATA_UPLOAD_MAX_NUMBER_FILES = env.upload_files_per_request

# --- REST ----------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "annotator.accounts.authentication.TokenAuthentication",
        "annotator.accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["annotator.accounts.permissions.DenyUnlessListed"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["annotator.core.parsing.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "annotator.core.http.problem_handler",
    "DEFAULT_THROTTLE_RATES": {"sign_in": "20/min"},
    # Clients write X-Forwarded-For as they like; only a proxy's own entry in it counts.
    "NUM_PROXIES": 0,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "WareVision",
    "DESCRIPTION": "Annotation of warehouse goods with model-assisted labeling.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "TaskState": "annotator.labeling.states.TaskState",
        "BatchState": "annotator.labeling.models.Batch.State",
        "JobState": "annotator.core.models.JobState",
        "FeedbackOutcome": "annotator.review.models.Feedback.Outcome",
        "AlertKind": "annotator.quality.models.Alert.Kind",
        "SourceEnum": "annotator.review.models.Decision.Source",
        "ModelSource": "annotator.modelhub.models.ModelVersion.Source",
        "ModelChangeKind": "annotator.modelhub.models.ModelChange.Kind",
        "RunState": "annotator.training.states.RunState",
        "TrainingMethod": "annotator.training.states.Method",
        "LanguageEnum": ["zh-hans", "en", "ja"],
    },
}

# --- safety --------------------------------------------------------------------------------

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "blob:", "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF, "blob:"],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- background work -----------------------------------------------------------------------

CELERY_BROKER_URL = env.broker_url
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {}
if env.broker_url.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(HOME / "broker" / "messages"),
        "data_folder_out": str(HOME / "broker" / "messages"),
        "control_folder": str(HOME / "broker" / "control"),
        "polling_interval": 0.2,
    }
elif env.broker_url.startswith("redis"):
    # Messages of a killed worker come back after seconds instead of minutes.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"unacked_restore_interval": 2, "unacked_restore_throttle": 1}
RECOGNIZER = env.recognizer
SITES_DIR = env.sites_dir
RECOGNIZER_OPTIONS: dict[str, Any] = env.recognizer_options
REPLAYER = "inference.versions.open_version"
MODELS_DIR = env.models_dir
MODEL = env.model
TRAINER = [sys.executable, "-m", "inference.training"]
JUDGE = [sys.executable, "-m", "inference.training.judge"]
TRAINING_THREADS = env.training_threads
TRAINING_FREE_DISK_MB = env.training_free_disk_mb
TRAINING_FREE_MEMORY_MB = env.training_free_memory_mb
OUTBOX_RING = True
LANGUAGETOOL_URL = env.languagetool_url

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"},
        "json": {"()": "inference.logs.JsonLines"},
    },
    "filters": {"request_id": {"()": "inference.logs.RequestIdFilter"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": env.log_format,
            "filters": ["request_id"],
        }
    },
    "root": {"handlers": ["console"], "level": env.log_level},
    "loggers": {
        "django.request": {"level": "ERROR"},
        # A broker on disk has no host; kombu would say so at every start.
        "kombu.connection": {"level": "ERROR"},
        "faiss": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
    },
}
PROMETHEUS_EXPORT_MIGRATIONS = False
