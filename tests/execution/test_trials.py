"""Dry runs: a function runs on fake data at the organisation's own runner."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from assets.accounts.models import Organization
from assets.common.errors import Code, Refused
from assets.execution.models import Approval, Job, RunPolicy, Trial
from assets.execution.registration.trials import KEPT, begin_trial, check_trial
from assets.execution.specs import TrialSpec
from assets.feed.models import Event
from tests import builders
from tests.builders import PRIVATE, PUBLIC, make_aggregate, make_dataset, make_function
from tests.cast import A, B

from .runners import StandIn

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def dataset(alice):
    return make_dataset(alice, permissions=PUBLIC)


@pytest.fixture
def function(alice):
    outputs = (builders.MODEL_OUTPUT, builders.PERFORMANCE_OUTPUT)
    return make_function(alice, outputs=outputs, permissions=PUBLIC)


@pytest.fixture
def plain(alice):
    """A function that takes nothing."""
    return make_aggregate(alice, inputs=(), permissions=PUBLIC)


@pytest.fixture
def spec(function, dataset) -> TrialSpec:
    return TrialSpec(function.pk, dataset.pk, fake_samples=3)


@pytest.fixture
def trial(alice, ward, spec) -> Trial:
    return begin_trial(spec, alice)


def claim(ward: StandIn) -> dict:
    """Return the job of the dry run; the function is built first."""
    while True:
        [job] = ward.claim()
        if job["kind"] == "trial":
            return job
        assert ward.report(job, "finish").status_code == 200


# --- Who may try what ----------------------------------------------------------------------------


def first_problem(spec: TrialSpec, actor) -> tuple[str, str, str]:
    before = Trial.objects.count()
    problem = check_trial(spec, actor)[0]
    with pytest.raises(Refused):
        begin_trial(spec, actor)
    assert Trial.objects.count() == before
    return problem.code.label, problem.field, problem.message


@pytest.mark.parametrize("who", ["alice", "ada", "bob"])
def test_members_of_permitted_organisations_try(who, request, ward, spec):
    StandIn(B)
    user = request.getfixturevalue(who)
    trial = begin_trial(spec, user)
    assert (trial.organization_id, trial.status) == (user.organization_id, "waiting")


def test_viewers_try_nothing(victor, ward, spec):
    code, _field, message = first_problem(spec, victor)
    assert code == Code.FORBIDDEN.label
    assert "viewer" in message


def test_without_permission_nothing_is_tried(alice, bob, ward, spec, function, dataset):
    StandIn(B)
    others = make_function(alice, permissions=PRIVATE)
    code, field, _ = first_problem(TrialSpec(others.pk, dataset.pk), bob)
    assert (code, field) == (Code.FORBIDDEN.label, "function_key")
    private = make_dataset(alice, permissions=PRIVATE)
    code, field, _ = first_problem(TrialSpec(function.pk, private.pk), bob)
    assert (code, field) == (Code.FORBIDDEN.label, "dataset_key")


def test_a_runner_is_needed(alice, spec):
    _code, field, message = first_problem(spec, alice)
    assert (field, "has no runner" in message) == ("function_key", True)


def test_a_function_that_needs_a_model_cannot_be_tried(alice, ward):
    function = make_aggregate(alice)
    _code, field, message = first_problem(TrialSpec(function.pk), alice)
    assert (field, "needs a model (models)" in message) == ("function_key", True)


@pytest.mark.parametrize(
    ("changes", "field", "phrase"),
    [
        ({"dataset_key": None}, "dataset_key", "cannot be blank"),
        ({"dataset_key": uuid4()}, "dataset_key", "not found"),
        ({"function_key": uuid4()}, "function_key", "not found"),
        ({"fake_samples": 0}, "fake_samples", "between 1 and 1000"),
        ({"fake_samples": 1001}, "fake_samples", "between 1 and 1000"),
    ],
)
def test_other_problems(alice, ward, spec, changes, field, phrase):
    for name, value in changes.items():
        setattr(spec, name, value)
    _code, found, message = first_problem(spec, alice)
    assert found == field
    assert phrase in message


def test_a_function_without_data_takes_no_dataset(alice, ward, plain, dataset):
    assert first_problem(TrialSpec(plain.pk, dataset.pk), alice)[1] == "dataset_key"
    assert begin_trial(TrialSpec(plain.pk), alice).dataset is None


@pytest.mark.parametrize("policy", [RunPolicy.Policy.FUNCTIONS, RunPolicy.Policy.PLANS])
def test_only_admins_try_what_is_not_approved(alice, ada, ward, spec, function, policy):
    """They decide about it, and may try it first."""
    RunPolicy.objects.create(organization_id=A, policy=policy)
    code, field, message = first_problem(spec, alice)
    assert (code, field) == (Code.FORBIDDEN.label, "function_key")
    assert "Ask an admin" in message
    begin_trial(spec, ada)
    Approval.objects.create(
        organization=Organization.objects.get(pk=A),
        function=function,
        digest=function.archive_checksum,
        approved=True,
    )
    begin_trial(spec, alice)


def test_the_last_ones_are_kept(alice, ward, plain):
    spec = TrialSpec(plain.pk)
    for _ in range(KEPT):
        begin_trial(spec, alice)
    _code, field, message = first_problem(spec, alice)
    assert (field, "wait already" in message) == ("function_key", True)
    Trial.objects.update(status="done", end_date=timezone.now())
    oldest = Trial.objects.order_by("creation_date").first()
    begin_trial(spec, alice)
    assert Trial.objects.count() == KEPT
    assert not Trial.objects.filter(pk=oldest.pk).exists()


def test_it_is_in_the_audit_trail(alice, trial, function):
    event = Event.objects.get(asset_key=trial.pk)
    assert (event.action, event.asset_kind, event.public) == ("created", "trial", False)
    assert (event.actor, event.asset_name) == (alice, function.name)


# --- What a runner does --------------------------------------------------------------------------


def test_a_runner_gets_all_that_it_needs(ward, trial, function, dataset):
    job = claim(ward)
    assert job["function"]["key"] == str(function.pk)
    assert (job["task"], job["fake_samples"]) == (None, 3)
    [opener] = job["inputs"]
    assert (opener["identifier"], opener["key"]) == ("opener", str(dataset.pk))
    assert opener["checksum"] == dataset.opener_checksum
    assert [output["identifier"] for output in job["outputs"]] == ["model", "performance"]
    archive = ward.get(f"job/{job['key']}/function/")
    assert archive.status_code == 200
    trial.refresh_from_db()
    assert trial.status == "executing"
    assert ward.renew(job)[job["key"]]["expires_in"]


def test_a_function_without_data_invents_none(alice, ward, plain):
    begin_trial(TrialSpec(plain.pk), alice)
    job = claim(ward)
    assert (job["inputs"], job["fake_samples"]) == ([], None)


def test_only_runners_of_the_organisation_try_it(ward, trial, function):
    assert StandIn(B).claim(jobs=10) == []
    assert claim(ward)["kind"] == "trial"


def test_a_dry_run_that_is_done_registers_nothing(ward, trial, function):
    job = claim(ward)
    body = {"performances": {"performance": 0.75}, "logs": "epoch 1\n", "steps": {}}
    for _ in range(2):
        assert ward.report(job, "finish", **body).status_code == 200
    trial.refresh_from_db()
    assert (trial.status, trial.performances, trial.logs) == (
        *("done", {"performance": 0.75}, "epoch 1\n"),
    )
    assert trial.end_date
    assert ward.claim() == []


@pytest.mark.parametrize("performances", [{}, {"other": 1}, {"performance": 1, "other": 1}])
def test_it_measures_what_the_function_declares(ward, trial, performances):
    job = claim(ward)
    assert ward.report(job, "finish", performances=performances).status_code == 400
    trial.refresh_from_db()
    assert trial.status == "executing"


@pytest.mark.parametrize(
    ("error_type", "logs"),
    [("BUILD_ERROR", "no such package"), ("EXECUTION_ERROR", "Traceback"), ("INTERNAL_ERROR", "")],
)
def test_a_dry_run_that_failed(ward, trial, error_type, logs):
    job = claim(ward)
    assert ward.report(job, "fail", error_type=error_type, logs=logs).status_code == 200
    trial.refresh_from_db()
    assert (trial.status, trial.error_type, trial.logs) == ("failed", error_type, logs)


def test_a_dry_run_that_was_lost_is_tried_again_and_fails_in_the_end(ward, trial):
    for _ in range(3):
        claim(ward)
        Job.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert ward.claim() == []
    trial.refresh_from_db()
    assert (trial.status, trial.error_type) == ("failed", "INTERNAL_ERROR")


def test_a_dry_run_that_is_given_back_is_tried_again(ward, trial):
    assert ward.report(claim(ward), "give_back").status_code == 200
    assert claim(ward)["kind"] == "trial"


# --- Pages ---------------------------------------------------------------------------------------


def test_from_the_function_to_the_outcome(alice, session_of, ward, function, dataset):
    browser = session_of(alice)
    url = f"/functions/{function.pk}/try/"
    assert url in browser.get(f"/functions/{function.pk}/").content.decode()
    response = browser.post(url, {"dataset": str(dataset.pk), "fake_samples": "2"}, follow=True)
    trial = Trial.objects.get()
    assert response.redirect_chain[-1][0] == f"/trials/{trial.pk}/"
    assert "It waits for a runner of" in response.content.decode()
    job = claim(ward)
    assert f"A runner of {A} runs it." in browser.get(f"/trials/{trial.pk}/").content.decode()
    ward.report(job, "finish", performances={"performance": 0.75}, logs="<b>epoch</b>")
    html = browser.get(f"/trials/{trial.pk}/").content.decode()
    assert "0.75" in html
    assert "&lt;b&gt;epoch&lt;/b&gt;" in html
    assert "registrar:ask" not in html
    assert f"/trials/{trial.pk}/" in browser.get(f"/functions/{function.pk}/").content.decode()


def test_a_page_that_is_open_follows(alice, session_of, trial, ward):
    browser, url = session_of(alice), f"/trials/{trial.pk}/"
    state = browser.get(url).context["state"]
    same = browser.get(url, {"state": state}, headers={"HX-Request": "true"})
    assert same.status_code == 204
    claim(ward)
    other = browser.get(url, {"state": state}, headers={"HX-Request": "true"})
    assert other.status_code == 200
    assert "<html" not in other.content.decode()


@pytest.mark.parametrize(("who", "status"), [("ada", 200), ("victor", 200), ("bob", 404)])
def test_only_the_organisation_sees_its_dry_runs(who, status, request, session_of, trial):
    browser = session_of(request.getfixturevalue(who))
    assert browser.get(f"/trials/{trial.pk}/").status_code == status
    page = browser.get(f"/functions/{trial.function_id}/").content.decode()
    assert (f"/trials/{trial.pk}/" in page) == (status == 200)


@pytest.mark.parametrize("key", [uuid4(), "nonsense"])
def test_no_such_dry_run(alice, session_of, key):
    assert session_of(alice).get(f"/trials/{key}/").status_code == 404


def test_the_page_says_what_is_missing(alice, session_of, function):
    html = session_of(alice).get(f"/functions/{function.pk}/try/").content.decode()
    assert "has no runner" in html
    assert 'name="fake_samples"' not in html


def test_a_function_without_data_has_nothing_to_fill_in(alice, session_of, ward, plain):
    browser, url = session_of(alice), f"/functions/{plain.pk}/try/"
    assert 'name="fake_samples"' not in browser.get(url).content.decode()
    assert browser.post(url, follow=True).status_code == 200
    assert Trial.objects.get().function == plain


def test_problems_are_shown_and_nothing_is_begun(alice, session_of, ward, function):
    response = session_of(alice).post(f"/functions/{function.pk}/try/", {"fake_samples": "0"})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"dataset", "fake_samples"}
    assert not Trial.objects.exists()


def test_as_code(alice, session_of, ward, function, dataset):
    data = {"dataset": str(dataset.pk), "fake_samples": "2", "action": "code"}
    html = session_of(alice).post(f"/functions/{function.pk}/try/", data).content.decode()
    assert "/api/trial/" in html
    assert str(dataset.pk) in html
    assert not Trial.objects.exists()


@pytest.mark.parametrize("count", [1, 15])
def test_statements_of_pages_do_not_grow(
    count, alice, session_of, trial, spec, django_assert_num_queries
):
    for _ in range(count):
        begin_trial(spec, alice)
    browser = session_of(alice)
    urls = {f"/trials/{trial.pk}/": 4, f"/functions/{trial.function_id}/try/": 9}
    for url, statements in urls.items():
        browser.get(url)
        with django_assert_num_queries(statements):
            browser.get(url)


# --- The API -------------------------------------------------------------------------------------


def test_programs_begin_and_read_dry_runs(alice, client_of, ward, function, dataset):
    api = client_of(alice)
    body = {"function_key": str(function.pk), "dataset_key": str(dataset.pk), "fake_samples": 2}
    begun = api.post("/api/trial/", body, format="json")
    assert begun.status_code == 201
    key = begun.json()["key"]
    assert begun.json() | {"creation_date": ""} == {
        **body,
        "key": key,
        "status": "waiting",
        "creation_date": "",
        "start_date": None,
        "end_date": None,
        "error_type": "",
        "performances": {},
        "logs": "",
    }
    ward.report(claim(ward), "finish", performances={"performance": 0.75}, logs="epoch 1")
    found = api.get(f"/api/trial/{key}/").json()
    assert (found["status"], found["performances"]) == ("done", {"performance": 0.75})
    listed = api.get(f"/api/trial/?function_key={function.pk}").json()
    assert [one["key"] for one in listed["results"]] == [key]
    assert api.get(f"/api/trial/?function_key={uuid4()}").json()["results"] == []


def test_programs_of_others_read_none(bob, client_of, trial):
    api = client_of(bob)
    assert api.get(f"/api/trial/{trial.pk}/").status_code == 404
    assert api.get("/api/trial/").json()["results"] == []


def test_a_repeated_request_begins_one(alice, client_of, ward, plain):
    api, body = client_of(alice), {"function_key": str(plain.pk)}
    headers = {"Idempotency-Key": "first"}
    answers = [api.post("/api/trial/", body, format="json", headers=headers) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert Trial.objects.count() == 1


def test_a_request_repeated_long_after_says_that_its_dry_run_is_gone(alice, client_of, ward, plain):
    api, body = client_of(alice), {"function_key": str(plain.pk)}
    headers = {"Idempotency-Key": "first"}
    assert api.post("/api/trial/", body, format="json", headers=headers).status_code == 201
    Trial.objects.all().delete()
    answer = api.post("/api/trial/", body, format="json", headers=headers)
    assert (answer.status_code, Trial.objects.count()) == (404, 0)
    assert "It keeps the last ones" in answer.json()["detail"]


@pytest.mark.parametrize("body", [{}, {"function_key": "x"}, {"function_key": None}])
def test_a_body_that_cannot_be_read(alice, client_of, ward, body):
    assert client_of(alice).post("/api/trial/", body, format="json").status_code == 400
