"""A browser without scripts: it fills in the page's form and presses one of its buttons."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client


class _Form(HTMLParser):
    """Reads what the page's form would send, and which buttons it has."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.data: dict[str, list[str]] = {}
        self.buttons: list[str] = []
        self.offered: dict[str, list[str]] = {}
        self._inside = False
        self._name = ""
        self._text: list[str] = []
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self._inside = found.get("id") == "spec-form"
        name, value = found.get("name") or "", found.get("value") or ""
        if not self._inside or "disabled" in found:
            return
        if tag == "button" and name == "action":
            self.buttons.append(value)
        elif tag == "textarea":
            self._name, self._text = name, []
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            self._add(self._select, value, chosen="selected" in found)
        elif tag == "input" and found.get("type") in ("checkbox", "radio"):
            self._add(name, found.get("value", "on") or "", chosen="checked" in found)
        elif tag == "input" and name and found.get("type") not in ("file", "submit"):
            self._add(name, value, chosen=True)

    def _add(self, name: str, value: str, *, chosen: bool) -> None:
        self.offered.setdefault(name, []).append(value)
        if chosen:
            self.data.setdefault(name, []).append(value)

    def handle_data(self, data: str) -> None:
        if self._name:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._name:
            # The first line break after the tag is no part of the text.
            self._add(self._name, "".join(self._text).removeprefix("\n"), chosen=True)
            self._name = ""
        elif tag == "select":
            self._select = ""
        elif tag == "form":
            self._inside = False


class FormPage:
    """A page with a form, and the current values of the form."""

    def __init__(self, client: Client, url: str, **query: Any) -> None:
        self.client, self.url = client, url
        if query:
            self.url += "?" + "&".join(f"{name}={value}" for name, value in query.items())
        self.read(client.get(self.url))

    def read(self, response: HttpResponse) -> None:
        self.response = response
        self.html = response.content.decode() if response.status_code != 302 else ""
        # What is read, without its marks.
        self.text = " ".join(unescape(re.sub(r"<[^>]+>", " ", self.html)).split())
        self.form = _Form(self.html)

    def fill(self, **values: Any) -> "FormPage":
        """Type or choose; names have `_` for `-`."""
        for name, value in values.items():
            self.set(name.replace("_", "-"), value)
        return self

    def set(self, name: str, value: Any) -> "FormPage":
        values = value if isinstance(value, list) else [value]
        self.form.data[name] = [str(item) for item in values]
        return self

    def press(self, button: str) -> "FormPage":
        """Send the form by one of its buttons."""
        assert button in self.form.buttons, (button, self.form.buttons)
        self.read(self.client.post(self.url, {**self.form.data, "action": button}))
        return self

    @property
    def status(self) -> int:
        return self.response.status_code

    def errors(self) -> dict[str, list[str]]:
        """The errors of the open task, by field."""
        task = self.response.context["editor"].task
        return {name: list(errors) for name, errors in task.errors.items()} if task else {}
