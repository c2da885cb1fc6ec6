"""A client of the API that signs in as users of the demo."""

import json
from typing import Any

from django.core.files.base import ContentFile
from django.test import Client

PASSWORD = "federated-demo"
HEADERS = {"HTTP_ACCEPT": "application/json;version=0.0"}


class Site:
    """Registers through the API, each time as a user of the demo."""

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}

    def client(self, user: str) -> Client:
        if user not in self.clients:
            client = self.clients[user] = Client(**HEADERS)
            assert client.login(username=user, password=PASSWORD), user
        return self.clients[user]

    def post(self, user: str, path: str, values: Any, **files: bytes) -> Any:
        if files:
            parts = {name: ContentFile(data, name=name) for name, data in files.items()}
            body = {"json": json.dumps(values), **parts}
            answer = self.client(user).post(f"/api/{path}/", body)
        else:
            answer = self.client(user).post(
                f"/api/{path}/", json.dumps(values), content_type="application/json"
            )
        assert answer.status_code < 300, answer.content
        return answer.json() if answer.content else None

    def get(self, path: str, user: str = "curie-admin") -> Any:
        return self.client(user).get(path)
