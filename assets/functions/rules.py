"""What makes a function legal: pure checks, no query. Source: contract 2.5, 3.3."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from django.core.files.base import File

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
# How the names of files with code end.
CODE = (".py", ".r", ".jl", ".sh", ".js", ".ts", ".rb", ".go", ".rs", ".java", ".jar", ".c", ".cpp")


def _invalid(field: str, message: str) -> Problem:
    return Problem(Code.INVALID, message, field, FUNCTION)


def check_function_values(spec: FunctionSpec) -> Iterator[Problem]:
    """Name, metadata, the two files, inputs and outputs."""
    yield from check_name(spec.name, asset=FUNCTION)
    yield from check_metadata(spec.metadata, asset=FUNCTION)
    yield from check_upload(spec.description, asset=FUNCTION, field="description")
    yield from check_function_file(spec.file)
    yield from check_inputs(spec.inputs)
    yield from check_outputs(spec.outputs)


def check_function_file(file: File | None) -> Iterator[Problem]:
    """A safe archive with a `Dockerfile` at its root and the code beside it."""
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
        yield _invalid("file", f"the archive has no Dockerfile at its root. {_hint(files)}")
    elif len(files) < 2:
        yield _invalid("file", "the archive holds a Dockerfile only. Add the function's code.")


def _hint(files: Sequence[str]) -> str:
    """Return how an archive of these files gets its Dockerfile."""
    misnamed = [name for name in files if _MISNAMED.fullmatch(name.rpartition("/")[2])]
    at_root = next((name for name in misnamed if "/" not in name), None)
    if at_root:
        return f"Builders look for that very name: rename {at_root} to {DOCKERFILE}."
    nested = next((name for name in files if name.endswith(f"/{DOCKERFILE}")), None)
    if nested:
        return f"There is one at {nested}: archive that folder's content."
    if hint := package_hint(files):
        return hint
    if misnamed:
        return (
            f"There is {misnamed[0]}: rename it to {DOCKERFILE} and archive that folder's content."
        )
    return "Add one that says how the code is run."


def archive_advice(file: File) -> list[str]:
    """Return what its user should know of a legal archive before it is registered for good."""
    seen = preview_archive(file, DOCKERFILE, MAX_SHOWN)
    file.seek(0)
    return list(_advice_on(seen)) if seen.is_all else []


def _advice_on(seen: ArchivePreview) -> Iterator[str]:
    if not any(file.name.lower().endswith(CODE) for file in seen.files):
        yield (
            "No file in it looks like code, such as function.py. "
            "Choose another archive if you meant another one."
        )
    yield from _dockerfile_advice(seen)
    yield from seen.warnings
    yield from hidden_advice(file.name for file in seen.files)


def _dockerfile_advice(seen: ArchivePreview) -> Iterator[str]:
    file = seen.find(DOCKERFILE)
    if file and file.packed_by:
        return  # by a method that is advised against
    text = None if seen.content is None else decoded(seen.content)
    if text is None:
        yield "Its Dockerfile is no text that can be read. Save it as UTF-8, then archive it again."
    elif not _has_instruction(text, "FROM"):
        yield "Its Dockerfile has no FROM, which names the image to begin with. Add it."
    elif not _has_instruction(text, "ENTRYPOINT|CMD"):
        yield "Its Dockerfile has no ENTRYPOINT, which says how the function is run. Add it."


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
            yield _invalid(
                where, f'the identifier "{identifier}" occurs {times} times; rename one.'
            )


def _check_kind(kind: str, kinds: Collection[str], where: str) -> Iterator[Problem]:
    if kind not in kinds:
        yield _invalid(f"{where}.kind", f'invalid kind "{kind}". Choose {", ".join(kinds)}.')


def check_inputs(inputs: Sequence[FunctionInputSpec]) -> Iterator[Problem]:
    """Kinds, and that a dataset and its data samples come together, the dataset once."""
    yield from _check_identifiers([item.identifier for item in inputs], "inputs")
    for item in inputs:
        where = f"inputs.{item.identifier[:100]}"
        yield from _check_kind(item.kind, INPUT_KINDS, where)
        if item.kind == AssetKind.DATA_MANAGER:
            for flag in ("multiple", "optional"):
                if getattr(item, flag):
                    yield _invalid(f"{where}.{flag}", f"a data manager input cannot be {flag}.")
    kinds = Counter(item.kind for item in inputs)
    openers, samples = kinds[AssetKind.DATA_MANAGER], kinds[AssetKind.DATA_SAMPLE]
    if openers > 1:
        yield _invalid("inputs", f"at most one data manager input is allowed; there are {openers}.")
    if openers and not samples:
        yield _invalid("inputs", "a data manager input needs a data sample input; add one.")
    if samples and not openers:
        yield _invalid("inputs", "a data sample input needs a data manager input; add one.")


def check_outputs(outputs: Sequence[FunctionOutputSpec]) -> Iterator[Problem]:
    """Kinds, and that a performance is one number."""
    yield from _check_identifiers([item.identifier for item in outputs], "outputs")
    for item in outputs:
        where = f"outputs.{item.identifier[:100]}"
        yield from _check_kind(item.kind, OUTPUT_KINDS, where)
        if item.kind == AssetKind.PERFORMANCE and item.multiple:
            yield _invalid(f"{where}.multiple", "a performance output cannot be multiple.")
