"""Functions: files, inputs and outputs. Contract 2.5 and 3.3."""

import pytest

from assets.common.errors import Code
from assets.functions.models import Function, FunctionStatus
from assets.functions.specs import FunctionInputSpec as Input, FunctionOutputSpec as Output
from tests.builders import CODE, function_spec, tar_of, upload, zip_of

from .cases import Case, accepted, invalid, refused, table, verify

MODEL, DATA, SAMPLES = "ASSET_MODEL", "ASSET_DATA_MANAGER", "ASSET_DATA_SAMPLE"
PERFORMANCE = "ASSET_PERFORMANCE"
OPENER = Input("opener", DATA)
DATASAMPLES = Input("datasamples", SAMPLES)


def _with(**changes):
    return lambda world: function_spec(**changes)


def _inputs(*inputs):
    return _with(inputs=inputs)


def _outputs(*outputs):
    return _with(outputs=outputs)


def _file(content: bytes, name: str = "function.zip"):
    # Made anew for each interface: reading a file leaves it at its end.
    return lambda world: function_spec(file=upload(content, name))


SLOTS = [
    accepted("no inputs and no outputs", _with(inputs=(), outputs=())),
    accepted("a model", _inputs(Input("m", MODEL))),
    accepted("a model, multiple and optional", _inputs(Input("m", MODEL, True, True))),
    accepted("an opener and samples", _inputs(OPENER, DATASAMPLES)),
    accepted("samples before their opener", _inputs(DATASAMPLES, OPENER)),
    accepted("optional samples", _inputs(OPENER, Input("s", SAMPLES, False, True))),
    accepted("multiple samples", _inputs(OPENER, Input("s", SAMPLES, True))),
    accepted("two inputs of samples", _inputs(OPENER, DATASAMPLES, Input("more", SAMPLES))),
    accepted(
        "no identifier is reserved", _inputs(Input("opener", MODEL), Input("chainkeys", MODEL))
    ),
    accepted(
        "an input and an output of one name",
        _with(inputs=(Input("m", MODEL),), outputs=(Output("m", MODEL),)),
    ),
    *(
        invalid(f"input of kind {kind}", _inputs(Input("i", kind)), "inputs.i.kind", "invalid kind")
        for kind in (PERFORMANCE, "ASSET_FUNCTION", "model", "", "asset_model")
    ),
    invalid(
        "a multiple opener",
        _inputs(Input("opener", DATA, multiple=True), DATASAMPLES),
        "inputs.opener.multiple",
        "cannot be multiple",
    ),
    invalid(
        "an optional opener",
        _inputs(Input("opener", DATA, optional=True), DATASAMPLES),
        "inputs.opener.optional",
        "cannot be optional",
    ),
    invalid(
        "two openers",
        _inputs(OPENER, Input("other", DATA), DATASAMPLES),
        "inputs",
        "at most one data manager input",
    ),
    invalid("an opener without samples", _inputs(OPENER), "inputs", "needs a data sample input"),
    invalid(
        "samples without an opener", _inputs(DATASAMPLES), "inputs", "needs a data manager input"
    ),
    invalid(
        "an input twice",
        _inputs(Input("m", MODEL), Input("m", MODEL)),
        "inputs.m",
        "occurs 2 times",
    ),
    accepted("a multiple model output", _outputs(Output("m", MODEL, multiple=True))),
    accepted("two performances", _outputs(Output("p", PERFORMANCE), Output("q", PERFORMANCE))),
    *(
        invalid(
            f"output of kind {kind}", _outputs(Output("o", kind)), "outputs.o.kind", "invalid kind"
        )
        for kind in (DATA, SAMPLES, "ASSET_FUNCTION", "")
    ),
    invalid(
        "a multiple performance",
        _outputs(Output("p", PERFORMANCE, multiple=True)),
        "outputs.p.multiple",
        "cannot be multiple",
    ),
    invalid(
        "an output twice",
        _outputs(Output("m", MODEL), Output("m", PERFORMANCE)),
        "outputs.m",
        "occurs 2 times",
    ),
]

NO_DOCKERFILE = "no Dockerfile at its root"
FILES = [
    accepted("zip", _file(zip_of(CODE))),
    accepted("tar", _file(tar_of(CODE, "w"), "f.tar")),
    accepted("tar.gz", _file(tar_of(CODE), "f.tar.gz")),
    accepted("tar.bz2", _file(tar_of(CODE, "w:bz2"), "f.tar.bz2")),
    accepted("tar.xz", _file(tar_of(CODE, "w:xz"), "f.tar.xz")),
    accepted("whatever its name says", _file(zip_of(CODE), "f.tar.gz")),
    accepted("members below ./", _file(tar_of({f"./{name}": data for name, data in CODE.items()}))),
    invalid("no file", _with(file=None), "file", "missing file"),
    invalid("an empty file", _file(b""), "file", "the file is empty"),
    invalid("no archive", _file(b"FROM python"), "file", "not a readable zip or tar archive"),
    invalid("no Dockerfile", _file(zip_of({"a.py": b"1", "b.py": b"2"})), "file", NO_DOCKERFILE),
    invalid(
        "Dockerfile in a folder",
        _file(zip_of({"f/Dockerfile": b"1", "f/a.py": b"2"})),
        "file",
        NO_DOCKERFILE,
    ),
    invalid(
        "dockerfile in lower case",
        _file(zip_of({"dockerfile": b"1", "a.py": b"2"})),
        "file",
        NO_DOCKERFILE,
    ),
    invalid("a Dockerfile only", _file(zip_of({"Dockerfile": b"1"})), "file", "only a Dockerfile"),
    invalid("a path upwards", _file(zip_of({**CODE, "../evil.py": b"1"})), "file", "unsafe path"),
    invalid("an absolute path", _file(zip_of({**CODE, "/evil.py": b"1"})), "file", "unsafe path"),
    invalid("no description", _with(description=None), "description", "missing file"),
    invalid(
        "an empty description",
        lambda world: function_spec(description=upload(b"")),
        "description",
        "the file is empty",
    ),
]


@table(SLOTS)
def test_inputs_and_outputs(case: Case, interface, world):
    verify(case, interface, world)


@table(FILES)
def test_files(case: Case, interface, world):
    verify(case, interface, world)


@pytest.mark.parametrize("field", ["file", "description"])
def test_file_size(field, interface, world, settings):
    content = zip_of(CODE) + b"\n" * 1000 if field == "description" else zip_of(CODE)

    def request(world):
        return function_spec(**{field: upload(content)})

    settings.MAX_UPLOAD_SIZE = len(content) - 1
    too_large = refused(field, request, Code.INVALID, field, "File too large")
    verify(too_large, interface, world)
    settings.MAX_UPLOAD_SIZE = len(content)
    verify(accepted(field, request), interface, world)


def test_a_function_begins_waiting(interface, world):
    interface.send(world.alice, function_spec())
    assert Function.objects.get().status == FunctionStatus.WAITING


def test_inputs_and_outputs_keep_their_order(interface, world):
    names = ["z", "a", "m"]
    interface.send(
        world.alice,
        function_spec(
            inputs=[Input(name, MODEL) for name in names],
            outputs=[Output(name, MODEL) for name in names],
        ),
    )
    function = Function.objects.get()
    assert [item.identifier for item in function.inputs.all()] == names
    assert [item.identifier for item in function.outputs.all()] == names


def test_the_same_content_twice_is_two_functions(interface, world):
    for _ in range(2):
        assert not interface.send(world.alice, function_spec()).problems
    assert Function.objects.count() == 2
