#!/usr/bin/env bash
# The SDK sends one data sample where two folders have the same name.
#
# Expected: DataSampleSpec(paths=["paris/scan", "lyon/scan"]) registers two data samples, or the SDK
#   refuses it.
# Seen: the SDK names each part of the request by the last part of its path and collects the parts
#   in a dict. So the later folder replaces the earlier one before anything is sent. There is no
#   warning; the SDK returns one key for two folders.
# Versions: substra 1.0.0, Python 3.11.7
# Last line: 2 folders given, 1 part sent, holding lyon's values; 1 key returned, 0 warnings
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check substra==1.0.0

cat > show.py <<'PYTHON'
import email
import io
import json
import logging
import sys
import threading
import uuid
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import substra
from substra.sdk.schemas import DataSampleSpec

sent = []  # what the values.csv of each received archive holds
warnings = []


class Server(BaseHTTPRequestHandler):
    """Answers like Substra's backend: with one key for each archive."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        message = email.message_from_bytes(
            f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode() + body
        )
        for part in message.get_payload():
            if part.get_filename():
                archive = zipfile.ZipFile(io.BytesIO(part.get_payload(decode=True)))
                sent.append(archive.read("values.csv").decode())
                print("received the part", part.get_param("name", header="Content-Disposition"))
        answer = json.dumps([{"key": str(uuid.uuid4())} for _ in sent]).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


class Warnings(logging.Handler):
    def emit(self, record):
        warnings.append(record)


logging.getLogger("substra").addHandler(Warnings(logging.WARNING))
for city in ("paris", "lyon"):
    Path(city, "scan").mkdir(parents=True)
    Path(city, "scan", "values.csv").write_text(city)

server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = substra.Client(
    backend_type=substra.BackendType.REMOTE,
    url=f"http://127.0.0.1:{server.server_port}",
    token="any",
)
spec = DataSampleSpec(paths=["paris/scan", "lyon/scan"], data_manager_keys=[str(uuid.uuid4())])
keys = client.add_data_samples(spec)
server.shutdown()

print(
    f"2 folders given, {len(sent)} part sent, holding {', '.join(sent)}'s values; "
    f"{len(keys)} key returned, {len(warnings)} warnings"
)
sys.exit((sent, len(keys), len(warnings)) != (["lyon"], 1, 0))
PYTHON
NO_PROXY=127.0.0.1 venv/bin/python show.py
