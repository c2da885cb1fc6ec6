"""Rules of functions: pure checks without queries. Source: contract 2.5, 3.3."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from django.core.files.base import File
from django.utils.translation import gettext as _

from ..common.errors import Code, Problem
from ..common.files.archives.check import inspect, mark_passed, passed_check
from ..common.files.archives.names import Entry
from ..common.files.archives.preview import ArchivePreview, preview_archive
from ..common.files.hidden import hidden_advice
from ..common.files.storage import check_upload
from ..common.kinds import INPUT_KINDS, OUTPUT_KINDS, AssetKind
from ..common.rules import check_metadata, check_name
from ..common.text.reading import MAX_SHOWN, decoded
from .packages import package_hint
from .specs import FunctionInputSpec, FunctionOutputSpec, FunctionSpec

FUNCTION = AssetKind.FUNCTION.word
DOCKERFILE = "Dockerfile"
_MISNAMED = re.compile(r"(dockerfile|containerfile)(\.\w+)?", re.IGNORECASE)
_FILE_RULE = "function 3"
# The suffixes of files with code.
CODE = (".py", ".r", ".jl", ".sh", ".js", ".ts", ".rb", ".go", ".rs", ".java", ".jar", ".c", ".cpp")


def _invalid(field: str, message: str) -> Problem:
    return Problem(Code.INVALID, message, field, FUNCTION)


def check_function_values(spec: FunctionSpec) -> Iterator[Problem]:
    """Yield problems with the name, metadata, the two files, inputs and outputs."""
    yield from check_name(spec.name, asset=FUNCTION)
    yield from check_metadata(spec.metadata, asset=FUNCTION)
    yield from check_upload(spec.description, asset=FUNCTION, field="description")
    yield from check_function_file(spec.file)
    yield from check_inputs(spec.inputs)
    yield from check_outputs(spec.outputs)


def check_function_file(file: File | None) -> Iterator[Problem]:
    """Yield problems unless the file is a safe archive with a `Dockerfile` and code at its root."""
    problems = list(check_upload(file, asset=FUNCTION, field="file"))
    if not problems and file is not None and passed_check(file) != _FILE_RULE:
        entries, problems = inspect(file, asset=FUNCTION, field="file")
        problems = problems or list(_check_build_context(entries))
        if not problems:
            mark_passed(file, _FILE_RULE)
    yield from problems


def _check_build_context(entries: Sequence[Entry]) -> Iterator[Problem]:
    files = [entry.name for entry in entries if not entry.is_folder]
    if DOCKERFILE not in files:
        message = _("the archive has no Dockerfile at its root. %(remedy)s")
        yield _invalid("file", message % {"remedy": _remedy(files)})
    elif len(files) < 2:
        yield _invalid(
            "file", _("the archive contains only a Dockerfile. Add the function's code.")
        )


def _remedy(files: Sequence[str]) -> str:
    """Return how to add a Dockerfile to an archive of these files."""
    misnamed = [name for name in files if _MISNAMED.fullmatch(name.rpartition("/")[2])]
    at_root = next((name for name in misnamed if "/" not in name), None)
    if at_root:
        return _("Rename %(file)s to Dockerfile, the exact name that builders look for.") % {
            "file": at_root
        }
    nested = next((name for name in files if name.endswith(f"/{DOCKERFILE}")), None)
    if nested:
        return _("There is one at %(file)s. Archive the contents of that folder.") % {
            "file": nested
        }
    if hint := package_hint(files):
        return hint
    if misnamed:
        message = _("Rename %(file)s to Dockerfile, and archive the contents of that folder.")
        return message % {"file": misnamed[0]}
    return _("Add one that builds the image to run the code in.")


def archive_advice(file: File) -> list[str]:
    """Return warnings about an archive that breaks no rule, to show before it is registered."""
    seen = preview_archive(file, DOCKERFILE, MAX_SHOWN)
    file.seek(0)
    return list(_advice_on(seen)) if seen.is_all else []


def _advice_on(seen: ArchivePreview) -> Iterator[str]:
    if not any(file.name.lower().endswith(CODE) for file in seen.files):
        yield _(
            "This archive contains no code, such as function.py. "
            "Choose another archive if this is not the one you meant."
        )
    yield from _dockerfile_advice(seen)
    yield from seen.warnings
    yield from hidden_advice(file.name for file in seen.files)


def _dockerfile_advice(seen: ArchivePreview) -> Iterator[str]:
    file = seen.find(DOCKERFILE)
    if file and file.packed_by:
        return  # there is another warning about the method
    text = None if seen.content is None else decoded(seen.content)
    if text is None:
        yield _("The Dockerfile is not text. Save it as UTF-8, then archive it again.")
    elif not _has_instruction(text, "FROM"):
        yield _("The Dockerfile has no FROM instruction, which names the base image. Add one.")
    elif not _has_instruction(text, "ENTRYPOINT|CMD"):
        yield _("The Dockerfile has no ENTRYPOINT, which runs the function. Add one.")


def _has_instruction(dockerfile: str, names: str) -> bool:
    return re.search(rf"^[ \t]*({names})\s", dockerfile, re.MULTILINE | re.IGNORECASE) is not None


def _check_identifiers(identifiers: Sequence[str], field: str) -> Iterator[Problem]:
    for identifier, times in Counter(identifiers).items():
        where = f"{field}.{identifier[:100]}"
        yield from (
            problem.below(where)
            for problem in check_name(identifier, asset=FUNCTION, field="identifier")
        )
        if times > 1:
            message = _('the identifier "%(identifier)s" occurs %(count)d times. Rename one.')
            yield _invalid(where, message % {"identifier": identifier, "count": times})


def _check_kind(kind: str, kinds: Collection[str], where: str) -> Iterator[Problem]:
    if kind not in kinds:
        message = _('invalid kind "%(kind)s". Choose one of %(kinds)s.')
        values = {"kind": kind, "kinds": ", ".join(kinds)}
        yield _invalid(f"{where}.kind", message % values)


def check_inputs(inputs: Sequence[FunctionInputSpec]) -> Iterator[Problem]:
    """Yield problems with identifiers and kinds, and unless data samples have one data manager."""
    yield from _check_identifiers([item.identifier for item in inputs], "inputs")
    for item in inputs:
        where = f"inputs.{item.identifier[:100]}"
        yield from _check_kind(item.kind, INPUT_KINDS, where)
        if item.kind == AssetKind.DATA_MANAGER:
            if item.multiple:
                message = _("a data manager input cannot be multiple.")
                yield _invalid(f"{where}.multiple", message)
            if item.optional:
                message = _("a data manager input cannot be optional.")
                yield _invalid(f"{where}.optional", message)
    kinds = Counter(item.kind for item in inputs)
    openers, samples = kinds[AssetKind.DATA_MANAGER], kinds[AssetKind.DATA_SAMPLE]
    if openers > 1:
        message = _("at most one data manager input is allowed; there are %(count)d. Remove one.")
        yield _invalid("inputs", message % {"count": openers})
    if openers and not samples:
        yield _invalid("inputs", _("a data manager input needs a data sample input. Add one."))
    if samples and not openers:
        yield _invalid("inputs", _("a data sample input needs a data manager input. Add one."))


def check_outputs(outputs: Sequence[FunctionOutputSpec]) -> Iterator[Problem]:
    """Yield problems with identifiers and kinds, and with a performance that is multiple."""
    yield from _check_identifiers([item.identifier for item in outputs], "outputs")
    for item in outputs:
        where = f"outputs.{item.identifier[:100]}"
        yield from _check_kind(item.kind, OUTPUT_KINDS, where)
        if item.kind == AssetKind.PERFORMANCE and item.multiple:
            yield _invalid(f"{where}.multiple", _("a performance output cannot be multiple."))
