"""A real S3 API on loopback, one for each process of the tests, and a bucket for each test."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

KEYS = {"access_key": "test", "secret_key": "test"}


@dataclass(frozen=True)
class Bucket:
    """A bucket, seen by a client of its own rather than through Registrar."""

    url: str
    name: str
    client: Any

    @property
    def options(self) -> dict[str, Any]:
        """The OPTIONS of a storage that keeps its files here."""
        return {
            "bucket_name": self.name,
            "endpoint_url": self.url,
            "region_name": "us-east-1",
            **KEYS,
        }

    @property
    def environment(self) -> dict[str, str]:
        """What a server that keeps its files here reads."""
        return {
            "S3_BUCKET": self.name,
            "S3_ENDPOINT_URL": self.url,
            "S3_REGION": "us-east-1",
            "S3_ACCESS_KEY": KEYS["access_key"],
            "S3_SECRET_KEY": KEYS["secret_key"],
        }

    def files(self) -> dict[str, bytes]:
        """What is in the bucket, by name."""
        found = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {
            item["Key"]: self.client.get_object(Bucket=self.name, Key=item["Key"])["Body"].read()
            for item in found
        }

    def unfinished(self) -> list[Any]:
        """Uploads of several parts that were neither completed nor taken back."""
        return self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])

    def put(self, name: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=name, Body=content)

    def delete(self, name: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=name)


@contextmanager
def s3_server(seen: list[dict[str, Any]] | None = None) -> Iterator[str]:
    """Serve S3 for the length of the block; yield its URL. `seen` collects what it is sent."""
    app = DomainDispatcherApplication(create_backend_app)

    def seeing(environ: dict[str, Any], start_response: Any) -> Any:
        if seen is not None:
            seen.append(dict(environ))
        return app(environ, start_response)

    server = make_server("127.0.0.1", 0, seeing, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def new_bucket(url: str) -> Bucket:
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=KEYS["access_key"],
        aws_secret_access_key=KEYS["secret_key"],
    )
    name = f"assets-{uuid.uuid4()}"
    client.create_bucket(Bucket=name)
    return Bucket(url, name, client)
