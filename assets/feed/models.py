"""Event."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..accounts.models import Organization
from ..common import audit
from ..common.kinds import AssetKind

# What is news: that plans and datasets came to be, and how plans went on.
NEWS_KINDS = (AssetKind.COMPUTE_PLAN, AssetKind.DATA_MANAGER)
NEWS_ACTIONS = (audit.Action.REGISTERED, audit.Action.STARTED, audit.Action.ENDED)


class Event(models.Model):
    """One thing that happened, or was refused. Events are only ever added.

    What happened to an asset is public, as its metadata is. The rest (downloads, sign-ins, users,
    tokens, refusals) is read by the admins of the organisation that it names.
    """

    Action = audit.Action
    Result = audit.Result

    timestamp = models.DateTimeField(_("time"))
    action = models.CharField(_("action"), max_length=20, choices=Action)
    result = models.CharField(
        _("result"),
        max_length=10,
        choices=Result,
        default=Result.DONE,
        db_default=Result.DONE.value,
    )
    public = models.BooleanField(default=True, db_default=True)
    # None: of a platform superuser who belongs to no organisation, or of nobody who is known.
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
    # The name outlives the user's account; blank for who did not sign in.
    actor_name = models.CharField(max_length=150, blank=True)
    # None: from a command on the server itself.
    address = models.GenericIPAddressField(null=True)
    asset_kind = models.CharField(
        _("asset kind"), max_length=30, choices=[*AssetKind.choices, *audit.SubjectKind.choices]
    )
    # None for what has no key, such as a user.
    asset_key = models.UUIDField(_("asset key"), null=True)
    asset_name = models.CharField(_("asset name"), max_length=150, blank=True)
    detail = models.JSONField(_("detail"), default=dict, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("event"), _("events")
        ordering = ["-timestamp", "-id"]
        indexes = [
            models.Index(fields=["timestamp", "id"], name="event_timestamp"),
            models.Index(fields=["asset_key", "timestamp"], name="event_asset"),
            # Who is deleted is taken from its events, and activity is filtered by a user.
            models.Index(fields=["actor", "timestamp", "id"], name="event_actor"),
            # Of a thousand events some are news: those of tasks are not gone through for them.
            models.Index(
                fields=["timestamp", "id"],
                condition=models.Q(action__in=NEWS_ACTIONS, asset_kind__in=NEWS_KINDS),
                name="event_news",
            ),
        ]

    def __str__(self) -> str:
        # Not by whom, which not everybody is told.
        kind = self.get_asset_kind_display()
        return f"{self.get_action_display()} {kind} {self.asset_name}".strip()
