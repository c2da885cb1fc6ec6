"""The only writer of what runners find at the paths of data samples.

An organisation's runners look at every sample that is registered below their data root, at once
and before they run tasks. A task may start before the look, or after one that found a problem:
then the runner fails it if the folder is not there.
"""

from collections.abc import Collection, Iterator
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy

from ...accounts.models import User
from ...common.db import bulk
from ...common.errors import Code, Problem, refuse_if
from ...permissions.access import check_may_change
from .. import rules
from ..models import DataSample, DataSampleCheck

OWNER_LOOKS = gettext_lazy(
    "only its owner %(owner)s may have a runner look at this data sample; you act for %(own)s."
)
# What a sample is before a look.
_UNSEEN = {"checksum": "", "size": 0, "problem": "", "checked_at": None}
MAX_PROBLEM = DataSampleCheck._meta.get_field("problem").max_length


def have_looked_at(sample_keys: Collection[UUID], owner: str) -> None:
    """Have the owner's runners look at new samples."""
    rows = [{"data_sample_id": key} for key in sample_keys]
    bulk.insert(DataSampleCheck, rows, same={"organization_id": owner, **_UNSEEN})


def samples_to_look_at(organization_id: str) -> QuerySet[DataSampleCheck]:
    """Return the rows of samples that wait for a look by the organisation's runners."""
    rows = DataSampleCheck.objects.filter(organization=organization_id, checked_at=None)
    return rows.select_related("data_sample").order_by("data_sample")


def save_look(sample_key: UUID, *, checksum: str = "", size: int = 0, problem: str = "") -> None:
    """Write what a runner found, a checksum and size or a problem, if the sample waits for it."""
    DataSampleCheck.objects.filter(data_sample=sample_key, checked_at=None).update(
        checksum=checksum, size=size, problem=problem[:MAX_PROBLEM], checked_at=timezone.now()
    )


def check_look_again(sample: DataSample, actor: User) -> Iterator[Problem]:
    """Yield problems unless the sample's last look found a problem, and the actor may change it."""
    yield from check_may_change(actor, sample, OWNER_LOOKS)
    if not sample.at_runner:
        message = _("this data sample is not at a runner, so no runner looks at it.")
        yield Problem(Code.INVALID, message, asset=rules.DATA_SAMPLE)
    elif sample.found.checksum:
        message = _("a runner has checked this data sample. What it found stays.")
        yield Problem(Code.INVALID, message, asset=rules.DATA_SAMPLE)


def look_again(sample: DataSample, actor: User) -> None:
    """Clear the problem of the last look, so that a runner looks again.

    Raises:
        Refused: `check_look_again` finds a problem.
    """
    refuse_if(check_look_again(sample, actor))
    DataSampleCheck.objects.filter(data_sample=sample, checksum="").update(**_UNSEEN)
