"""Where registered files are stored, and who sends them."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from .environment import env


def asset_storage(bucket: str, folder: Path) -> dict[str, Any]:
    """Return Django's setting of the storage of assets: the S3 bucket, or else the folder."""
    if bucket:
        return {
            "BACKEND": "assets.common.files.s3.AssetStorage",
            "OPTIONS": {
                "bucket_name": bucket,
                "endpoint_url": env.str("S3_ENDPOINT_URL", "") or None,
                "region_name": env.str("S3_REGION", "") or None,
                "access_key": env.str("S3_ACCESS_KEY", "") or None,
                "secret_key": env.str("S3_SECRET_KEY", "") or None,
                "location": env.str("S3_PREFIX", ""),
            },
        }
    return {
        "BACKEND": "assets.common.files.folder.AssetStorage",
        "OPTIONS": {
            "location": folder,
            # No stored file is served by its path: only the download views send files.
            "base_url": None,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    }


def downloads(bucket: str) -> str:
    """Return who sends the bytes of a download: this server, the web server before it, or S3.

    Raises: ImproperlyConfigured if `DOWNLOADS` names what cannot send files from this storage.
    """
    chosen = env.str("DOWNLOADS", "stream")
    possible = ["stream", *(["s3-redirect"] if bucket else ["x-accel-redirect", "x-sendfile"])]
    if chosen not in possible:
        raise ImproperlyConfigured(
            f"DOWNLOADS is {chosen!r}. With files in {'S3' if bucket else 'a folder'}, "
            f"set it to {' or '.join(possible)}."
        )
    return chosen
