"""Every text that people read can be translated, and is, into each language."""

import pytest

from tests.translations import LANGUAGES, as_mo, messages_of, path_of, read, untranslated

from .unmarked import TEMPLATES, templates, unmarked_in_template

DOMAINS = ("django", "djangojs")


@pytest.mark.parametrize("path", templates(), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_templates_mark_their_text(path):
    assert not list(unmarked_in_template(path))


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", LANGUAGES)
class TestCatalogue:
    def test_it_has_the_messages_of_the_sources(self, language, domain):
        wanted = {(message.context, message.id) for message in messages_of(domain) if message.id}
        found = {(message.context, message.id) for message in read(language, domain) if message.id}
        assert found == wanted, "run `make translations`, then translate what is new"

    def test_it_is_complete(self, language, domain):
        assert not [message.id for message in untranslated(read(language, domain))]

    def test_placeholders_are_those_of_the_message(self, language, domain):
        catalogue = read(language, domain)
        assert not [(message.id, errors) for message, errors in catalogue.check()]

    def test_it_is_compiled(self, language, domain):
        compiled = path_of(language, domain, "mo").read_bytes()
        assert compiled == as_mo(read(language, domain)), "run `make translations`"
