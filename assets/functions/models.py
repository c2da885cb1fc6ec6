"""Function, its inputs and its outputs."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..common.db.fields import AssetFileField, ChecksumField, ChoiceField
from ..common.db.models import NamedAsset, listing_index
from ..common.kinds import INPUT_KINDS, OUTPUT_KINDS, AssetKind
from ..permissions.models import PermittedAsset


class FunctionStatus(models.TextChoices):
    """The state of the build of a function's image, as the API spells it."""

    WAITING = "FUNCTION_STATUS_WAITING", _("waiting")
    BUILDING = "FUNCTION_STATUS_BUILDING", _("building")
    READY = "FUNCTION_STATUS_READY", _("ready")
    FAILED = "FUNCTION_STATUS_FAILED", _("failed")
    CANCELED = "FUNCTION_STATUS_CANCELED", _("cancelled")


class FunctionStep(models.TextChoices):
    """The steps of building a function's image, in their order. Contract 2.5."""

    BUILD_IMAGE = "build_image", _("build the image")
    SAVE_FUNCTION = "save_function", _("save the image")


# The statuses that may follow each; a status without any is final. Source: contract 4.
FUNCTION_TRANSITIONS: dict[FunctionStatus, set[FunctionStatus]] = {
    FunctionStatus.WAITING: {FunctionStatus.BUILDING, FunctionStatus.CANCELED},
    FunctionStatus.BUILDING: {
        FunctionStatus.READY,
        FunctionStatus.FAILED,
        FunctionStatus.CANCELED,
    },
    FunctionStatus.READY: set(),
    FunctionStatus.FAILED: set(),
    FunctionStatus.CANCELED: set(),
}


class Function(NamedAsset, PermittedAsset):
    """Code with a Dockerfile that tasks run."""

    asset_kind = AssetKind.FUNCTION

    status = ChoiceField(
        _("status"),
        max_length=30,
        choices=FunctionStatus,
        default=FunctionStatus.WAITING,
        editable=False,
    )
    description = AssetFileField()
    description_checksum = ChecksumField()
    description_size = models.BigIntegerField()
    archive = AssetFileField()
    archive_checksum = ChecksumField()
    archive_size = models.BigIntegerField()

    class Meta:
        verbose_name, verbose_name_plural = _("function"), _("functions")
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="function_has_name"),
            models.CheckConstraint(
                condition=Q(status__in=FunctionStatus.values), name="function_status"
            ),
        ]
        indexes = [
            models.Index(fields=["creation_date", "key"], name="function_creation"),
            listing_index("function", "name"),
            listing_index("function", "name_order"),
            # What runners ask for, again and again.
            models.Index(
                fields=["owner", "creation_date", "key"],
                condition=Q(status=FunctionStatus.WAITING),
                name="function_to_build",
            ),
        ]


class FunctionInput(models.Model):
    """One input of a function."""

    function = models.ForeignKey(
        Function, on_delete=models.CASCADE, related_name="inputs", db_index=False
    )
    position = models.PositiveIntegerField()
    identifier = models.CharField(_("identifier"), max_length=100)
    kind = ChoiceField(
        _("kind"), max_length=30, choices=[(kind.value, kind.label) for kind in INPUT_KINDS]
    )
    multiple = models.BooleanField(
        _("multiple"), default=False, help_text=_("Takes any number of assets.")
    )
    optional = models.BooleanField(
        _("optional"), default=False, help_text=_("A task may leave it out.")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("input"), _("inputs")
        ordering = ["function", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["function", "identifier"],
                name="functioninput_identifier",
                violation_error_message="Each input needs an identifier of its own.",
            ),
            models.CheckConstraint(condition=Q(kind__in=INPUT_KINDS), name="functioninput_kind"),
            models.CheckConstraint(
                condition=~Q(kind=AssetKind.DATA_MANAGER) | Q(multiple=False, optional=False),
                name="functioninput_one_data_manager",
                violation_error_message="A data manager input is neither multiple nor optional.",
            ),
        ]

    def __str__(self) -> str:
        return self.identifier


class FunctionOutput(models.Model):
    """One output of a function."""

    function = models.ForeignKey(
        Function, on_delete=models.CASCADE, related_name="outputs", db_index=False
    )
    position = models.PositiveIntegerField()
    identifier = models.CharField(_("identifier"), max_length=100)
    kind = ChoiceField(
        _("kind"), max_length=30, choices=[(kind.value, kind.label) for kind in OUTPUT_KINDS]
    )
    multiple = models.BooleanField(
        _("multiple"), default=False, help_text=_("Makes any number of models.")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("output"), _("outputs")
        ordering = ["function", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["function", "identifier"],
                name="functionoutput_identifier",
                violation_error_message="Each output needs an identifier of its own.",
            ),
            models.CheckConstraint(condition=Q(kind__in=OUTPUT_KINDS), name="functionoutput_kind"),
            models.CheckConstraint(
                condition=~Q(kind=AssetKind.PERFORMANCE) | Q(multiple=False),
                name="functionoutput_one_performance",
                violation_error_message="A performance output cannot be multiple.",
            ),
        ]

    def __str__(self) -> str:
        return self.identifier
