"""Dataset, DataSample and the links between them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, gettext_lazy as _

from ..accounts.models import Organization
from ..common.db.fields import AssetFileField, ChecksumField
from ..common.db.models import Asset, NamedAsset, listing_index, owner_field
from ..common.kinds import AssetKind
from ..permissions.models import PermittedAsset, permissions_field


class Dataset(NamedAsset, PermittedAsset):
    """An opener and its description. The data are the data samples linked to it."""

    asset_kind = AssetKind.DATA_MANAGER

    type = models.CharField(
        _("type"), max_length=100, blank=True, help_text=_('Such as "images" or "tabular".')
    )
    logs_permission = permissions_field()
    opener = AssetFileField()
    opener_checksum = ChecksumField()
    opener_size = models.BigIntegerField()
    description = AssetFileField()
    description_checksum = ChecksumField()
    description_size = models.BigIntegerField()

    class Meta:
        verbose_name, verbose_name_plural = _("dataset"), _("datasets")
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="dataset_has_name")]
        indexes = [
            models.Index(fields=["creation_date", "key"], name="dataset_creation"),
            listing_index("dataset", "name"),
            listing_index("dataset", "name_order"),
        ]


class DataSample(Asset):
    """One unit of data: an uploaded archive, or a folder that stays where it is.

    The folder is on the server, below the organisation's root, or on the machine of the
    organisation's runners, below their data root.
    """

    asset_kind = AssetKind.DATA_SAMPLE

    owner = owner_field(db_index=False)
    datasets = models.ManyToManyField(
        Dataset, through="DataSampleLink", related_name="data_samples"
    )
    archive = AssetFileField(blank=True)
    path = models.CharField(max_length=1024, blank=True)
    # Whether `path` is relative to the data root of runners.
    at_runner = models.BooleanField(default=False, db_default=False)
    # Of the archive's bytes, or of the folder's content (`digest.folder_digest`). At a runner they
    # are blank and 0: `found` has them once a runner has looked.
    checksum = ChecksumField(blank=True)
    size = models.BigIntegerField()

    class Meta:
        verbose_name, verbose_name_plural = _("data sample"), _("data samples")
        constraints = [
            models.CheckConstraint(
                condition=Q(archive="") ^ Q(path=""), name="datasample_archive_or_path"
            ),
            models.CheckConstraint(
                condition=~Q(checksum="") ^ Q(at_runner=True), name="datasample_checksum"
            ),
            models.UniqueConstraint(
                fields=["owner", "path"],
                condition=Q(at_runner=True),
                name="datasample_once_at_runner",
            ),
        ]
        indexes = [
            models.Index(fields=["creation_date", "key"], name="datasample_creation"),
            listing_index("datasample", "owner"),
        ]

    # The names of a stored file's columns; here they are those of the folder, too.
    @property
    def archive_checksum(self) -> str:
        return self.checksum

    @property
    def archive_size(self) -> int:
        return self.size

    @property
    def content(self) -> "DataSample | DataSampleCheck":
        """The row with the checksum and the size, which are blank and 0 before a look."""
        return self.found if self.at_runner else self

    @property
    def source_label(self) -> str:
        if self.at_runner:
            return gettext("stays at a runner of %(owner)s") % {"owner": self.owner_id}
        return gettext("uploaded") if self.archive else gettext("folder on the server")


class DataSampleCheck(models.Model):
    """What a runner found at the path of a data sample: its checksum and size, or a problem.

    The row is there from the registration on, and empty until a runner has looked. A problem is
    cleared when somebody asks for another look; what was found never changes.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("not yet checked")
        FOUND = "found", _("checked")
        PROBLEM = "problem", _("problem")

    data_sample = models.OneToOneField(
        DataSample, on_delete=models.PROTECT, primary_key=True, related_name="found"
    )
    # The sample's owner, whose runners look.
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    checksum = ChecksumField(blank=True)
    size = models.BigIntegerField(default=0)
    problem = models.CharField(max_length=1000, blank=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(checked_at=None, checksum="", problem="")
                | (~Q(checked_at=None) & (Q(checksum="") ^ Q(problem=""))),
                name="datasamplecheck_found_or_problem",
            )
        ]
        indexes = [
            models.Index(
                fields=["organization", "data_sample"],
                condition=Q(checked_at=None),
                name="datasamplecheck_waiting",
            )
        ]

    def __str__(self) -> str:
        return self.problem or self.checksum

    @property
    def state_label(self) -> str:
        """What the last look found, without a path."""
        if self.checked_at is None:
            return str(self.State.WAITING.label)
        return str((self.State.PROBLEM if self.problem else self.State.FOUND).label)


class DataSampleLink(models.Model):
    """A data sample belongs to a dataset. Links are added, never removed."""

    data_sample = models.ForeignKey(DataSample, on_delete=models.PROTECT, related_name="links")
    dataset = models.ForeignKey(
        Dataset,
        on_delete=models.PROTECT,
        related_name="links",
        db_index=False,
        verbose_name=_("dataset"),
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "data_sample"], name="datasamplelink_once")
        ]

    def __str__(self) -> str:
        return f"{self.data_sample_id} in {self.dataset_id}"


class SampleSet(models.Model):
    """Data samples in order, as tasks take them.

    Rows are shared by all inputs with the same list, and never change.
    """

    # The wire's list in one read, with repeats; `samples` says the same to foreign keys and
    # filters.
    keys = models.JSONField(_("keys"))
    count = models.PositiveIntegerField(_("number of data samples"))
    samples = models.ManyToManyField(
        DataSample, through="SampleSetMember", related_name="sets", verbose_name=_("data samples")
    )
    digest = ChecksumField(_("digest"), unique=True, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("list of data samples"), _("lists of data samples")

    def __str__(self) -> str:
        return f"{self.count} data samples"


class SampleSetMember(models.Model):
    """A data sample is in a list."""

    sample_set = models.ForeignKey(
        SampleSet, on_delete=models.PROTECT, related_name="members", db_index=False
    )
    data_sample = models.ForeignKey(
        DataSample, on_delete=models.PROTECT, related_name="memberships", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sample_set", "data_sample"], name="samplesetmember_once"
            )
        ]
        indexes = [
            models.Index(fields=["data_sample", "sample_set"], name="samplesetmember_sample")
        ]

    def __str__(self) -> str:
        return f"{self.data_sample_id} in {self.sample_set_id}"
