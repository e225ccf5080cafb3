"""Objects below a prefix of an S3 bucket. Which buckets there are is the operator's to say: people
choose among named sources and never give an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from annotator.core.errors import DomainError
from annotator.media.pictures import BadPicture, check_size

from ..intake import Incoming, refused


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where objects lie. Keys that are not given come from the environment, as boto3 reads it."""

    bucket: str
    prefix: str = ""
    endpoint_url: str = ""
    region: str = ""
    access_key: str = ""
    secret_key: str = ""

    def client(self) -> Any:
        try:
            import boto3
            from botocore.config import Config
        except ImportError as error:
            raise DomainError("s3_missing") from error
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url or None,
            region_name=self.region or None,
            aws_access_key_id=self.access_key or None,
            aws_secret_access_key=self.secret_key or None,
            config=Config(connect_timeout=10, read_timeout=30, retries={"max_attempts": 4}),
        )


def named(name: str, *, site: str) -> Bucket:
    """The source that the operator named, where ``site`` may use it. Raises DomainError."""
    if name not in names_for(site):
        raise DomainError("unknown_source", name=name)
    facts = {k: v for k, v in settings.INTAKE_SOURCES[name].items() if k != "sites"}
    return Bucket(**facts)


def names_for(site: str) -> list[str]:
    """The sources that a site may use, by slug: those that name it, and those that name none."""
    return sorted(
        name
        for name, facts in settings.INTAKE_SOURCES.items()
        if site in facts.get("sites", [site])
    )


def objects_in(bucket: Bucket, *, after: str = "", cam_type: str = "") -> Iterator[Incoming]:
    """The objects of a bucket in the order of their keys, from behind ``after``."""
    client = bucket.client()
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket.bucket, Prefix=bucket.prefix, **({"StartAfter": after} if after else {})
    )
    try:
        for page in pages:
            for entry in page.get("Contents", []):
                key, size = entry["Key"], entry["Size"]
                if key.endswith("/"):
                    continue
                yield _object(client, bucket.bucket, key, size, cam_type)
    except _errors() as error:
        raise DomainError("s3_failed", detail=str(error)[:200]) from error


def _errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError

    return (BotoCoreError, ClientError)


def _object(client: Any, bucket: str, key: str, size: int, cam_type: str) -> Incoming:
    name = f"{bucket}/{key}"
    try:
        check_size(size, max_bytes=settings.MAX_UPLOAD_BYTES)
    except BadPicture as bad:
        return refused(name, bad.code, size=size, about=key, **bad.params)
    return Incoming(name, _reader(client, bucket, key), size=size, cam_type=cam_type, about=key)


def _reader(client: Any, bucket: str, key: str) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except _errors() as error:
            raise BadPicture("s3_object", detail=str(error)[:120]) from error
        return bytes(body)

    return read
