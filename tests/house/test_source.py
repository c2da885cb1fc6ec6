"""What the source looks like: sizes, who imports what, who writes, and what must not be there.

Each test goes through all files and shows every offender at once.
"""

import ast
import re

from .source import ASSETS, ROOT, calls_in, functions_in, imports_of, modules, name_of, tree_of

MODULES = modules()
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

# --- Sizes ---------------------------------------------------------------------------------------

MAX_FILE_LINES = 350
MAX_FUNCTION_LINES = 45


def test_files_are_short():
    lines = {name_of(path): len(path.read_text().splitlines()) for path in MODULES}
    assert not {name: count for name, count in lines.items() if count > MAX_FILE_LINES}


def test_functions_are_short():
    long = {
        f"{name_of(path)}:{function.lineno} {function.name}": length
        for path in MODULES
        for function in functions_in(path)
        if (length := function.end_lineno - function.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert not long


def test_every_module_says_what_it_is():
    silent = [path for path in MODULES if path.read_text() and not ast.get_docstring(tree_of(path))]
    assert not [name_of(path) for path in silent]


# --- Who imports what ----------------------------------------------------------------------------

# Pure rules and plain values; import-linter cannot name parts of Django.
PURE = {"rules", "task_rules", "specs", "context", "graph", "parsing", "errors"}
# Rows and who writes them know models, and no request either.
REQUESTLESS = {*PURE, "models", "registration", "queries", "access"}
OF_REQUESTS = ("django.http", "django.forms", "django.shortcuts", "django.views", "rest_framework")
OF_DATABASES = ("django.db",)


def layers_of(path):
    """Return what a module may be: its own name, and the package of its room that it is in."""
    packages = set(path.relative_to(ASSETS).parent.parts[1:2])
    # `api.errors` answers requests, whatever `errors` of a room does.
    return packages if packages & {"admin", "api", "forms", "pages"} else {path.stem, *packages}


def imports_below(stems, packages):
    return [
        f"{name_of(path)}: {name}"
        for path in MODULES
        if layers_of(path) & stems
        for name in imports_of(path)
        if f"{name}.".startswith(tuple(f"{package}." for package in packages))
    ]


def test_what_decides_knows_no_request():
    assert not imports_below(REQUESTLESS, OF_REQUESTS)


def test_rules_and_specs_ask_no_database():
    assert not imports_below(PURE, OF_DATABASES)


def test_imports_are_found():
    """Or else the two tests above could not fail."""
    assert imports_below({"api"}, OF_REQUESTS)
    assert imports_below({"models"}, OF_DATABASES)


# --- Who writes ----------------------------------------------------------------------------------

WRITING = {"bulk_create", "bulk_update", "get_or_create", "update_or_create", "insert"}
WRITING |= {"save", "create", "delete", "update"}

WRITERS = {"registration"}

ALLOWED = {
    ("assets/accounts/models.py", "super().save"): "for registration, with keys of names",
    (
        "assets/accounts/sign_in.py",
        "request.session.save",
    ): "in the transaction that uses a code up",
    ("assets/common/forms/saving.py", "form.save"): "our form, which registers",
    ("assets/accounts/pages/base.py", "form.save"): "our form, which calls the writers",
    (
        "assets/common/ops/health.py",
        "default_storage.save",
    ): "a file, to see that it can be written",
    ("assets/common/ops/health.py", "default_storage.delete"): "that file",
    ("assets/common/files/s3.py", "super().delete"): "how S3 deletes, for those who call it",
    ("assets/backups/restoring.py", "files.save"): "files of a backup, beside their rows",
    ("assets/common/files/batch.py", "default_storage.save"): "files, for registration",
    (
        "assets/common/files/pending.py",
        "default_storage.delete",
    ): "files of a registration that failed",
    ("assets/common/files/pending.py", "row.save"): "which files no row names yet",
    (
        "assets/common/files/pending.py",
        "PendingFiles.objects.filter(pk=self.key, abandoned=False).delete",
    ): "that rows name them now",
    (
        "assets/common/files/pending.py",
        "PendingFiles.objects.filter(pk=pending).update",
    ): "that none will",
    (
        "assets/common/files/pending.py",
        "PendingFiles.objects.filter(pk=pending).delete",
    ): "all are gone",
    ("assets/common/idempotency/keys.py", "row.save"): "what a request did, for who records it",
    ("assets/common/idempotency/keys.py", "old.delete"): "what requests did a day ago",
    ("assets/common/ops/sessions.py", "self.delete"): "a session that is over",
    ("assets/common/ops/sessions.py", "super().save"): "a session, as Django's middleware asks",
    (
        "assets/runner/engines/__init__.py",
        "import_module(f'{__name__}.{name}').create",
    ): "an engine, which is no row",
    ("assets/integrity.py", "default_storage.delete"): "files that no row names",
}


def writes_in(path):
    for call in calls_in(path):
        name = getattr(call.func, "attr", "")
        # A queryset's update takes keywords only; a dict's, a set's or a hash's takes none.
        of_python = name == "update" and bool(call.args or not call.keywords)
        # A list's insert begins with a place.
        of_python = of_python or (name == "insert" and "bulk" not in ast.unparse(call.func))
        if name in WRITING and not of_python:
            yield name_of(path), ast.unparse(call.func)


def test_only_registration_writes():
    """Every way to register goes through it, so that none passes by a rule."""
    others = (path for path in MODULES if not layers_of(path) & WRITERS)
    found = {write for path in others for write in writes_in(path)}
    assert found == set(ALLOWED), "write in a registration module, or say in ALLOWED why not"


# --- What must not be there ----------------------------------------------------------------------

LEFT_OVER = re.compile(
    r"\b(TODO|FIXME|XXX)\b | coming[ ]soon | \b(print|breakpoint)\( | \bpdb\b", re.I | re.X
)
INLINE = re.compile(
    r"""<script(?![^>]*\bsrc=) | <style\b | \sstyle\s*= | \son[a-z]+\s*=
    | javascript: | =["']data:""",
    re.I | re.X,
)
ELSEWHERE = re.compile(r"""(src|href|action|url)\s*[=(]\s*["']?(https?:)?//""", re.I)


def lines_with(pattern, paths):
    return [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_nothing_is_left_over():
    assert not lines_with(LEFT_OVER, [*MODULES, *TEMPLATES])


def test_left_over_is_found():
    for line in ("# TODO: later", "print(1)", "Coming soon", "fixme", "breakpoint()"):
        assert LEFT_OVER.search(line), line
    for line in ('"STATUS_TODO"', "fingerprint(1)", "blueprint"):
        assert not LEFT_OVER.search(line), line


def test_templates_hold_no_script_and_no_style():
    """A strict Content-Security-Policy runs and shows nothing that is inline, or of others."""
    assert not lines_with(INLINE, TEMPLATES)
    assert not lines_with(ELSEWHERE, TEMPLATES)


def test_inline_is_found():
    for text in ("<script>", '<p style="x">', "<a onclick='x'>", "<STYLE>", 'href="javascript:x"'):
        assert INLINE.search(text), text
    for text in ('<script src="{% static "x.js" %}" defer>', "<stylish>", '<p class="style">'):
        assert not INLINE.search(text), text
    assert ELSEWHERE.search('<img src="//example.org/x.png">')


# --- Tests that cannot fail ----------------------------------------------------------------------

COUNTERS = {"assertNumQueries", "django_assert_num_queries", "django_assert_max_num_queries"}


def uncounted(tree: ast.AST) -> list[int]:
    """The lines that call a counter of queries without `with`: they count nothing."""
    withs = (node for node in ast.walk(tree) if isinstance(node, ast.With))
    entered = {id(item.context_expr) for node in withs for item in node.items}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) in COUNTERS
        and id(node) not in entered
    ]


def test_queries_are_really_counted():
    counting = re.compile("|".join(COUNTERS))
    tests = [path for path in modules(ROOT / "tests") if counting.search(path.read_text())]
    lines = {name_of(path): uncounted(tree_of(path)) for path in tests}
    assert len(lines) > 1
    assert not {name: found for name, found in lines.items() if found}


def test_uncounted_is_found():
    assert uncounted(ast.parse("self.assertNumQueries(1)\ndjango_assert_num_queries(2)")) == [1, 2]
    assert not uncounted(ast.parse("with django_assert_num_queries(2), x:\n    pass"))


def test_the_source_is_found():
    """Or else all of this would pass on an empty folder."""
    assert len(MODULES) > 80
    assert ASSETS / "compute" / "registration" / "task_rules.py" in MODULES
    assert TEMPLATES
