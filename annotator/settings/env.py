"""The environment that WareVision reads, typed and checked in one place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[2]

CommaList = Annotated[list[str], NoDecode]


class Env(BaseSettings):
    """Every variable that can be set from outside, with its embedded default."""

    model_config = SettingsConfigDict(env_prefix="WAREVISION_", extra="ignore")

    home: Path = Field(default=ROOT / "var", description="Holds all embedded state.")
    secret_key: str = Field(default="", description="Signs sessions. Kept in HOME when empty.")
    debug: bool = False
    allowed_hosts: CommaList = ["127.0.0.1", "localhost", "[::1]"]
    trusted_origins: CommaList = []
    secure_cookies: bool = Field(default=False, description="True behind HTTPS.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["line", "json"] = Field(default="line", description="json for machines.")

    database_url: str = Field(
        default="", validation_alias=AliasChoices("DATABASE_URL", "WAREVISION_DATABASE_URL")
    )
    broker_url: str = Field(
        default="filesystem://",
        validation_alias=AliasChoices("BROKER_URL", "WAREVISION_BROKER_URL"),
    )
    cache_url: str = Field(
        default="", validation_alias=AliasChoices("CACHE_URL", "WAREVISION_CACHE_URL")
    )
    inference_url: CommaList = Field(
        default=[],
        validation_alias=AliasChoices("INFERENCE_URL", "WAREVISION_INFERENCE_URL"),
        description="Where recognizers answer; several, by commas, are replicas.",
    )
    inference_port: int = 8001
    recognizer: str = Field(
        default="inference.client.HttpRecognizer",
        description="Dotted path of the Recognizer; inference.local.LocalRecognizer and "
        "inference.remote.VlmRecognizer run in-process.",
    )
    model: str = Field(
        default="", description="Folder of the base MiniGPT; the shipped one unless named."
    )
    models: Path | None = Field(
        default=None,
        description="Holds the sites' models, each in a folder called as its digest; HOME/models.",
    )
    vlm_url: str = Field(
        default="",
        description="An OpenAI-compatible endpoint, …/v1, whose model is asked in the place of MiniGPT; "
        "one inside must be named in egress_allow too. Its key is in WAREVISION_VLM_KEY.",
    )
    vlm_model: str = Field(default="", description="The model's name there.")
    languagetool_url: str = Field(
        default="", description="Of a LanguageTool server that reads captions; none when empty."
    )
    host: str = "127.0.0.1"
    port: int = Field(default=8000, validation_alias=AliasChoices("PORT", "WAREVISION_PORT"))

    s3_bucket: str = Field(default="", description="Keeps pictures in S3 instead of HOME.")
    s3_endpoint_url: str = ""

    max_upload_mb: int = 64
    max_picture_megapixels: int = 64
    upload_files_per_request: int = 50
    zip_max_mb: int = Field(default=4096, description="Of an uploaded zip.")
    licence: str = Field(
        default="All rights reserved by the owner of the pictures.",
        description="Written into snapshots, unless one is made with another.",
    )
    training_threads: int = Field(
        default=max(1, (os.cpu_count() or 2) // 2), ge=1, description="Of a training on this host."
    )
    training_free_disk_mb: int = Field(
        default=2048, description="A training does not begin with less free on the disk."
    )
    training_free_memory_mb: int = Field(
        default=2048, description="Nor with less memory to be had."
    )
    egress_allow: CommaList = Field(
        default=[], description="Hosts, addresses and networks inside that URL lists may name."
    )
    intake_sources: dict[str, dict[str, Any]] = Field(
        default={},
        description='Named S3 prefixes, as JSON: {"dock": {"bucket": …, "prefix": …, '
        '"endpoint_url": …, "region": …, "access_key": …, "secret_key": …, "sites": [slug, …]}}.',
    )
    decoders: int = Field(default=2, ge=1, description="Decoder processes of each process.")
    decoder_memory_mb: int = Field(default=1280, description="Of one decoder, for one picture.")
    decoder_limit_s: float = Field(default=20.0, description="For one picture.")

    @field_validator(
        "allowed_hosts", "trusted_origins", "egress_allow", "inference_url", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @property
    def recognizer_urls(self) -> list[str]:
        """Where the recognizer answers: as told, else the embedded one."""
        return self.inference_url or [f"http://127.0.0.1:{self.inference_port}"]

    @property
    def vlm_options(self) -> dict[str, Any]:
        """How inference.remote.VlmRecognizer finds its model."""
        return {"base_url": self.vlm_url, "vlm": self.vlm_model, "allow": self.egress_allow}

    @property
    def recognizer_options(self) -> dict[str, Any]:
        """What the Recognizer of this process is made with."""
        if self.recognizer.endswith("HttpRecognizer"):
            return {"base_url": self.recognizer_urls}
        if self.recognizer.endswith("VlmRecognizer"):
            return {"sites_dir": self.sites_dir, **self.vlm_options}
        return {
            "sites_dir": self.sites_dir,
            "models_dir": self.models_dir,
            "model": self.model or None,
        }

    @property
    def models_dir(self) -> Path:
        """Where the sites' models lie; the recognizer reads them there."""
        return self.models or self.home / "models"

    @property
    def sites_dir(self) -> Path:
        """Where each site's memory is published for the recognizer."""
        return self.home / "sites"


env = Env()
