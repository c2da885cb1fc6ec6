"""What the server loads before its workers begin."""

from typing import Any

from django.conf import settings
from django.template.loader import get_template
from django.urls import get_resolver
from django.utils import translation


def preload() -> None:
    """Import the pages, and read their templates and translations.

    Workers begin as copies of the process that has called this. They share what it has loaded, and
    their first requests wait for none of it.
    """
    # Finding a page by its name imports all of them.
    get_resolver().reverse_dict  # noqa: B018
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            translation.gettext("Sign in")
    folders: Any = settings.TEMPLATES[0]["DIRS"]
    for folder in folders:
        for path in folder.rglob("*.html"):
            get_template(path.relative_to(folder).as_posix())
