"""Lists of data samples: each distinct one is stored once, and everything finds its samples."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from assets.common.asset_keys import AssetKeys
from assets.common.db import bulk
from assets.common.errors import Code, Refused
from assets.compute.inputs import InputGroup, InputRef, grouped
from assets.compute.models import TaskInput
from assets.compute.registration import register_compute_plan, register_tasks
from assets.datasets.models import DataSample, DataSampleLink, SampleSet, SampleSetMember
from tests.builders import (
    make_dataset,
    make_function,
    make_plan,
    make_samples,
    plan_spec,
    training_task,
    wire_plan,
)
from tests.files.stored import row_counts

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]


@pytest.fixture
def study(alice):
    """A dataset with three samples, and a function that takes them."""
    return Study(alice)


class Study:
    def __init__(self, user):
        self.user, self.dataset, self.function = user, make_dataset(user), make_function(user)
        self.samples = make_samples(user, self.dataset.key, count=3)

    def task(self, *samples, **changes):
        return training_task(self.dataset, samples, self.function, **changes)

    def with_samples(self, count):
        """Add samples to the dataset, faster than by archives; return their keys."""
        keys = [uuid4() for _ in range(count)]
        values = DataSample.objects.values(
            "owner_id", "creation_date", "archive", "path", "checksum", "size"
        )
        same = values.first()
        bulk.insert(DataSample, [{"key": key} for key in keys], same=same)
        rows = [{"data_sample_id": key, "dataset_id": self.dataset.key} for key in keys]
        bulk.insert(DataSampleLink, rows)
        return AssetKeys(keys)


def test_any_number_of_tasks_shares_one_list(study, alice):
    """500 tasks of 1,000 data samples take as many statements as two, and a row for each task."""
    statements = []
    for tasks, samples in ((2, 2), (500, 1000)):
        inputs = [
            InputGroup("opener", AssetKeys([study.dataset.key])),
            InputGroup("datasamples", study.with_samples(samples)),
        ]
        spec = plan_spec(tasks=[study.task(inputs=inputs) for _ in range(tasks)])
        before = row_counts()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            register_compute_plan(spec, alice)
        statements.append(len(queries))
        added = {name: count - before[name] for name, count in row_counts().items()}
        assert (added["SampleSet"], added["SampleSetMember"]) == (1, samples)
        assert added["TaskInput"] == 2 * tasks
    assert statements[0] == statements[1]


def test_the_second_sending_writes_nothing(study, alice):
    spec = plan_spec(tasks=[study.task(*study.samples) for _ in range(3)])
    register_compute_plan(spec, alice)
    before = row_counts()
    with CaptureQueriesContext(connection) as queries:
        register_compute_plan(spec, alice)
        register_tasks(spec.tasks, alice, spec.key)
    assert row_counts() == before
    assert not [query for query in queries if query["sql"].startswith(("INSERT", "UPDATE"))]


def test_order_and_repeats_survive(study, client_of, alice):
    first, second, third = study.samples
    task = study.task(third, first, third, second)
    body = wire_plan(plan_spec(tasks=[task]))
    client = client_of(alice)
    assert client.post("/api/compute_plan/", body, format="json").status_code == 201
    answer = client.get(f"/api/task/{task.key}/")
    assert answer.json()["inputs"] == body["tasks"][0]["inputs"]
    (row,) = SampleSet.objects.all()
    assert (row.count, row.members.count()) == (4, 3)
    assert row.keys == [str(sample.key) for sample in (third, first, third, second)]
    assert row.digest == AssetKeys(sample.key for sample in (third, first, third, second)).digest


def test_the_answer_is_spelt_as_ever(study, client_of, alice):
    task = study.task(*study.samples[:2])
    make_plan(alice, task)
    inputs = b",".join(
        b'{"identifier":"%b","asset_key":"%b","parent_task_key":null,'
        b'"parent_task_output_identifier":null}' % (name, str(row.key).encode())
        for name, row in (
            (b"opener", study.dataset),
            *((b"datasamples", sample) for sample in study.samples[:2]),
        )
    )
    assert b'"inputs":[' + inputs + b"]" in client_of(alice).get(f"/api/task/{task.key}/").content


def test_lists_are_found_by_each_of_their_samples(study, client_of, session_of, alice):
    """A list that tasks of two plans take, and one with other samples."""
    first, second, third = study.samples
    shared, other = make_plan(alice, study.task(first, second)), make_plan(alice, study.task(third))
    again = make_plan(alice, study.task(first, second), study.task(second, first))
    client = client_of(alice)

    def found(resource, **query):
        return {row["key"] for row in client.get(f"/api/{resource}/", query).json()["results"]}

    plans = {str(plan.key) for plan in (shared, again)}
    for sample in (first, second):
        assert found("compute_plan", data_sample_key=sample.key) == plans
    assert found("compute_plan", data_sample_key=third.key) == {str(other.key)}
    pair = {str(first.key), str(second.key)}
    assert found("data_sample", compute_plan_key=again.key) == pair
    assert found("data_sample", compute_plan_key=other.key) == {str(third.key)}
    assert found("data_sample", function_key=study.function.key) == {*pair, str(third.key)}
    assert found("function", data_sample_key=third.key) == {str(study.function.key)}
    browser = session_of(alice)
    page = browser.get("/tasks/", {"data_sample_key": second.key}).content.decode()
    for plan, count in ((shared, 1), (again, 2), (other, 0)):
        assert page.count(f"/compute-plans/{plan.key}/") == count
    page = browser.get(f"/data-samples/{second.key}/").content.decode()
    assert f'<a href="/tasks/?data_sample_key={second.key}">3</a>' in page


def test_a_task_with_many_samples_shows_the_first(study, session_of, alice):
    keys = study.with_samples(2000)
    refs = [InputRef("opener", study.dataset.key), *(InputRef("datasamples", key) for key in keys)]
    task = study.task(inputs=grouped(refs))
    plan = make_plan(alice, task)
    browser = session_of(alice)
    page = browser.get(f"/tasks/{task.key}/").content.decode()
    assert "and 1,980 more" in page
    assert "1,800 more sources are not listed here" in page
    assert page.count(f"/data-samples/{keys[19]}/") == 1
    assert str(keys[200]) not in page
    for url in (f"/tasks/{task.key}/", f"/compute-plans/{plan.key}/"):
        code = browser.get(f"{url}?code").content.decode()
        assert "with the first 20 data samples; write the others the same way" in code


def test_what_is_wrong_is_named_by_its_place(study, alice):
    """The samples of a list are checked once, and reported in each task that takes it."""
    keys = [*(sample.key for sample in study.samples), uuid4()]
    other = make_samples(alice, make_dataset(alice).key)[0]
    refs = [InputRef("opener", study.dataset.key)]
    refs += [InputRef("datasamples", key) for key in (*keys, other.key)]
    tasks = [study.task(inputs=grouped(refs)) for _ in range(2)]
    with pytest.raises(Refused) as refused:
        register_compute_plan(plan_spec(tasks=tasks), alice)
    assert [(problem.field, problem.code) for problem in refused.value.problems] == [
        (f"tasks[{task}].inputs[{place}].asset_key", code)
        for task in range(2)
        for place, code in ((4, Code.NOT_FOUND), (5, Code.INVALID))
    ]


def test_a_list_that_is_used_stays(study, alice):
    make_plan(alice, study.task(*study.samples))
    assert TaskInput.objects.get(sample_set__isnull=False).sample_set.samples.count() == 3
    for rows, changes in (
        (SampleSet.objects, {"count": 1}),
        (SampleSetMember.objects, {"data_sample": study.samples[0]}),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**changes)
