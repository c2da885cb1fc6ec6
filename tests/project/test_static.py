"""Static files: collected under names that change with them, kept by browsers for ever."""

import re

import pytest
from django.core.management import call_command
from django.test import Client

from project import settings as ours
from tests import builders

PAGES = ["/", "/datasets/", "/datasets/register/", "/admin/", "/api/docs/", "/api/data_manager/"]
STATIC = re.compile(r"""(?:src|href)=["'](/static/[^"'?#]+)""")
HASHED = re.compile(r"/static/.+\.[0-9a-f]{12}(\.\w+)+")
PACKED = (".css", ".js", ".svg")


@pytest.fixture
def collected(settings, tmp_path):
    """Static files as a server has them."""
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": ours.STORAGES["staticfiles"]}
    call_command("collectstatic", interactive=False, verbosity=0)


def test_every_static_file_of_a_page_is_hashed_packed_and_kept(collected, alice, ada):
    dataset = builders.make_dataset(alice)
    ada.is_staff = ada.is_superuser = True
    ada.save()
    browser = Client(headers={"accept": "text/html", "accept-encoding": "gzip"})
    browser.force_login(ada)
    found = set()
    for path in [*PAGES, f"/datasets/{dataset.key}/", "/nowhere/"]:
        page = browser.get(path, follow=True, headers={"accept-encoding": ""})
        addresses = set(STATIC.findall(page.text))
        assert addresses, path
        found |= addresses
    assert {address.rpartition(".")[2] for address in found} >= {"css", "js", "svg"}
    assert not [address for address in found if not HASHED.fullmatch(address)]
    for address in found:
        answer = browser.get(address)
        size = len(b"".join(answer.streaming_content))
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "max-age=315360000, public, immutable"
        # Very small files only grow by being packed.
        if address.endswith(PACKED) and size > 500:
            assert answer["Content-Encoding"] == "gzip", address
        answer.close()
