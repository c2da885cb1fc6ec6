"""Event."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..accounts.models import Organization
from ..common import audit
from ..common.db.fields import ChoiceField
from ..common.kinds import AssetKind

# News: new plans and datasets, and the progress of plans.
NEWS_KINDS = (AssetKind.COMPUTE_PLAN, AssetKind.DATA_MANAGER)
NEWS_ACTIONS = (audit.Action.REGISTERED, audit.Action.STARTED, audit.Action.ENDED)


class Event(models.Model):
    """Something that happened, or was denied. Events are never changed.

    Events of assets are public, like metadata. All others (downloads, sign-ins, users, tokens,
    refusals) can be read by the admins of the event's organisation.
    """

    Action = audit.Action
    Result = audit.Result

    timestamp = models.DateTimeField(_("time"))
    action = ChoiceField(_("action"), max_length=20, choices=Action)
    result = ChoiceField(
        _("result"),
        max_length=10,
        choices=Result,
        default=Result.DONE,
        db_default=Result.DONE.value,
    )
    public = models.BooleanField(default=True, db_default=True)
    # None: of a platform superuser without organisation, or of an unknown user.
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("organisation"),
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
    )
    # The name outlives the user; blank without a signed-in user.
    actor_name = models.CharField(max_length=150, blank=True)
    # None: from a command on the server itself.
    address = models.GenericIPAddressField(null=True)
    asset_kind = ChoiceField(
        _("asset kind"), max_length=30, choices=[*AssetKind.choices, *audit.SubjectKind.choices]
    )
    # None for kinds without keys, such as users.
    asset_key = models.UUIDField(_("asset key"), null=True)
    asset_name = models.CharField(_("asset name"), max_length=150, blank=True)
    detail = models.JSONField(_("detail"), default=dict, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("event"), _("events")
        ordering = ["-timestamp", "-id"]
        indexes = [
            models.Index(fields=["timestamp", "id"], name="event_timestamp"),
            models.Index(fields=["asset_key", "timestamp"], name="event_asset"),
            # For deleting users, and for filtering activity by user.
            models.Index(fields=["actor", "timestamp", "id"], name="event_actor"),
            # Few events are news: most are of tasks.
            models.Index(
                fields=["timestamp", "id"],
                condition=models.Q(action__in=NEWS_ACTIONS, asset_kind__in=NEWS_KINDS),
                name="event_news",
            ),
        ]

    def __str__(self) -> str:
        # Without the actor, whose name not everyone may see.
        kind = self.get_asset_kind_display()
        return f"{self.get_action_display()} {kind} {self.asset_name}".strip()
