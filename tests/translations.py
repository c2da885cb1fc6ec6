"""The catalogues of translations: `python -m tests.translations` brings them up to date.

Messages are found in Python, templates and scripts, and written to assets/locale, where each
language has a catalogue for the server (django) and one for scripts (djangojs). Babel does the
work, so that no machine needs GNU gettext.
"""

import ast
import re
import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
LOCALE = ROOT / "assets" / "locale"
# With the rule of plurals that Django has for each.
LANGUAGES = {"fr": "nplurals=2; plural=(n > 1);", "de": "nplurals=2; plural=(n != 1);"}
# Where each kind of message may be, and how Babel calls what arguments it has.
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
HEADER = (
    "# Translations of Registrar. Written by `make translations`, apart from what is translated."
)
# Fixed, so that a catalogue changes only when its messages do.
DATE = datetime(2026, 11, 30, tzinfo=UTC)
_CALL = re.compile(
    r"""\b(_|gettext|ngettext|pgettext|npgettext)\(\s*
    ((?:u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")\s*,?\s*)+)""",
    re.VERBOSE | re.DOTALL,
)


def template_messages(fileobj, keywords, comment_tags, options):
    """Yield the messages of a Django template, as Babel's extractors do."""
    from django.utils.translation.template import templatize

    source = templatize(fileobj.read().decode())
    for call in _CALL.finditer(source):
        texts = ast.literal_eval(f"({call[2].strip().rstrip(',')},)")
        line = source.count("\n", 0, call.start()) + 1
        name = "gettext" if call[1] == "_" else call[1]
        yield line, name, texts if len(texts) > 1 else texts[0], []


def sources(domain):
    """Yield each file that has messages of `domain`, with the extractor for it."""
    if domain == "djangojs":
        for path in sorted((ROOT / "static").rglob("*.js")):
            yield path, "javascript"
        return
    for folder in ("assets", "project"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"migrations", "demo"} & set(path.parts):
                yield path, "python"
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix in (".html", ".txt"):
            yield path, template_messages


def messages_of(domain):
    """Return a catalogue of all messages in the sources, without translations."""
    catalogue = Catalog(charset="utf-8")
    for path, method in sources(domain):
        for _, text, _, context in extract(method, BytesIO(path.read_bytes()), KEYWORDS):
            catalogue.add(text, context=context)
    return catalogue


def path_of(language, domain, suffix="po"):
    return LOCALE / language / "LC_MESSAGES" / f"{domain}.{suffix}"


def read(language, domain):
    """Return the catalogue of a language, empty if there is none yet."""
    path = path_of(language, domain)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def as_mo(catalogue):
    """Return the bytes of the compiled catalogue."""
    buffer = BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def untranslated(catalogue):
    """Return the messages that lack a translation, or a form of it for some number."""
    return [
        message
        for message in catalogue
        if message.id
        and not (
            all(message.string) if isinstance(message.string, (list, tuple)) else message.string
        )
    ]


def update(language, domain):
    """Bring one catalogue up to date; return how many of its messages lack a translation."""
    old = read(language, domain)
    new = Catalog(
        locale=language,
        header_comment=HEADER,
        project="Registrar",
        last_translator="The authors of Registrar",
        creation_date=DATE,
        revision_date=DATE,
        fuzzy=False,
    )
    new.mime_headers = [("Plural-Forms", LANGUAGES[language])]
    for message in messages_of(domain):
        if message.id:
            known = old.get(message.id, message.context)
            string = known.string if known and known.id == message.id else None
            new.add(message.id, string, flags=message.flags, context=message.context)
    path = path_of(language, domain)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, new, sort_output=True, width=100)
    path_of(language, domain, "mo").write_bytes(as_mo(read(language, domain)))
    return len(untranslated(new))


def main():
    missing = 0
    for language in LANGUAGES:
        for domain in ("django", "djangojs"):
            count = update(language, domain)
            missing += count
            sys.stdout.write(f"{language} {domain}: {count} without a translation\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
