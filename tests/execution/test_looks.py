"""Runners look at data samples that stay with them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from assets.datasets.models import DataSampleCheck
from assets.datasets.registration import look_again
from assets.execution.models import Job
from tests.builders import make_dataset, make_samples_at_runner
from tests.cast import A, B

from .runners import StandIn

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

CHECKSUM = "ab" * 32


@pytest.fixture
def samples(alice):
    dataset = make_dataset(alice)
    return make_samples_at_runner(alice, dataset.pk, paths=["visits/p1", "visits/p2"])


def found_of(sample) -> DataSampleCheck:
    return DataSampleCheck.objects.get(data_sample=sample)


def found(sample, **what) -> dict:
    return {"samples": [{"key": str(sample.pk), **what}]}


def claim_all(ward) -> dict[str, dict]:
    jobs = ward.claim(jobs=10, data_root=True)
    assert {job["kind"] for job in jobs} <= {"look"}
    return {job["inputs"][0]["path"]: job for job in jobs}


def test_each_sample_is_a_job_with_its_path(ward, samples):
    jobs = claim_all(ward)
    assert set(jobs) == {"visits/p1", "visits/p2"}
    job = jobs["visits/p1"]
    assert (job["function"], job["task"], job["outputs"]) == (None, None, [])
    [one] = job["inputs"]
    assert (one["key"], one["address"], one["checksum"]) == (str(samples[0].pk), None, "")
    assert claim_all(ward) == {}


def test_only_runners_with_a_data_root_look_and_only_at_their_own(ward, samples, bob):
    assert ward.claim(jobs=10) == []
    assert claim_all(StandIn(B)) == {}
    assert len(claim_all(ward)) == 2


def test_what_was_found_stands_and_a_repeated_report_changes_nothing(ward, samples):
    job = claim_all(ward)["visits/p1"]
    body = found(samples[0], checksum=CHECKSUM, size=7)
    for _ in range(2):
        assert ward.report(job, "finish", **body).status_code == 200
    row = found_of(samples[0])
    assert (row.checksum, row.size, row.problem) == (CHECKSUM, 7, "")
    assert found_of(samples[1]).checked_at is None
    assert claim_all(ward) == {}


def test_after_a_problem_a_runner_looks_when_it_is_asked(ward, samples, alice):
    for path, job in claim_all(ward).items():
        sample = samples[path == "visits/p2"]
        report = found(sample, problem="There is no such folder.")
        assert ward.report(job, "finish", **report).status_code == 200
    assert found_of(samples[0]).problem == "There is no such folder."
    assert claim_all(ward) == {}
    look_again(samples[0], alice)
    [(path, job)] = claim_all(ward).items()
    assert path == "visits/p1"
    assert ward.report(job, "finish", **found(samples[0], checksum=CHECKSUM)).status_code == 200
    assert found_of(samples[0]).checksum == CHECKSUM


@pytest.mark.parametrize("body", [{}, {"samples": []}])
def test_a_report_without_what_was_found_is_refused(ward, samples, body):
    job = claim_all(ward)["visits/p1"]
    assert ward.report(job, "finish", **body).status_code == 400
    assert ward.report(job, "finish", **found(samples[1], checksum=CHECKSUM)).status_code == 400
    assert found_of(samples[0]).checked_at is None
    assert found_of(samples[1]).checked_at is None
    assert Job.objects.get(pk=job["key"]).ended_at is None


def test_a_look_that_is_given_back_or_lost_is_for_another_runner(ward, samples):
    first = claim_all(ward)
    assert ward.report(first["visits/p1"], "give_back").status_code == 200
    assert ward.renew(first["visits/p2"])[first["visits/p2"]["key"]]["expires_in"]
    other = StandIn(A, "second")
    assert set(claim_all(other)) == {"visits/p1"}
    # SQLite's clock has milliseconds.
    expired = timezone.now() - timedelta(seconds=1)
    Job.objects.filter(pk=first["visits/p2"]["key"]).update(expires_at=expired)
    assert set(claim_all(other)) == {"visits/p2"}
    late = ward.report(first["visits/p2"], "finish", **found(samples[1], checksum=CHECKSUM))
    assert late.status_code == 409
    assert found_of(samples[1]).checked_at is None


def test_a_look_that_is_lost_three_times_is_a_problem(ward, samples):
    for _ in range(3):
        assert len(claim_all(ward)) == 2
        Job.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert claim_all(ward) == {}
    assert "look again" in found_of(samples[0]).problem


def test_a_runner_that_failed_to_look_says_so(ward, samples):
    job = claim_all(ward)["visits/p1"]
    assert ward.report(job, "fail", error_type="INTERNAL_ERROR").status_code == 200
    assert "Read its own logs" in found_of(samples[0]).problem
