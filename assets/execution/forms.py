"""Forms of runners, of decisions about what they run, and of dry runs."""

from collections.abc import Iterable
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ..accounts.forms.base import WriterForm
from ..accounts.models import Runner
from ..accounts.registration.runners import check_runner, create_runner, revoke_runner
from ..common.errors import Problem
from ..common.forms.fields import AssetField, TextField, text_field
from ..common.forms.layouts import PageForm, Section
from ..common.forms.pickers import AssetPicker
from ..compute.models import ComputePlan
from ..datasets.models import Dataset
from ..permissions.queries import allowing_any
from .models import Trial
from .queries.approvals import Policy, policy_of
from .registration.approvals import (
    check_decline,
    check_may_decide,
    decline_function,
    decline_plan,
    set_policy,
)
from .registration.trials import begin_trial, check_trial, takes_dataset
from .rules import MAX_FAKE_SAMPLES, MAX_REASON_LENGTH
from .specs import TrialSpec


class RunnerForm(WriterForm):
    """Registers a runner of the actor's organisation; `secret` is set once it is saved."""

    sections = (Section("", "name"),)

    name = text_field(Runner, "name")

    def check(self, values: dict[str, Any]) -> None:
        check_runner(self.actor.organization, **values)

    def save(self) -> Runner:
        runner, self.secret = create_runner(
            self.actor.organization, actor=self.actor, **self.cleaned_data
        )
        return runner


class RevokeForm(WriterForm):
    """Revokes the runner `asset`; there is nothing to fill in."""

    def check(self, values: dict[str, Any]) -> None:
        if self.asset.revoked_at:
            raise ValidationError(_("This runner is revoked already."))

    def save(self) -> Runner:
        revoke_runner(self.asset, self.actor)
        return self.asset


class PolicyForm(PageForm):
    """Chooses what the runners of the actor's organisation run."""

    sections = (Section("", "policy"),)

    policy = forms.ChoiceField(
        label=_("Your runners run"),
        choices=Policy.choices,
        widget=forms.RadioSelect,
        help_text=_(
            "What waits for approval is listed under Approvals. Tasks that are running are not "
            "stopped."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["policy"].initial = policy_of(self.actor.organization_id)

    def make_spec(self, values: dict[str, Any]) -> str:
        return values.get("policy", "")

    def check(self) -> Iterable[Problem]:
        return check_may_decide(self.actor)

    def save(self) -> None:
        set_policy(Policy(self.spec), self.actor)


class DeclineForm(PageForm):
    """Declines a compute plan or a function, with a reason."""

    sections = (Section("", "reason"),)

    reason = TextField(
        label=_("Reason"),
        max_length=MAX_REASON_LENGTH,
        help_text=_("Everyone who can see the plan or the function can read it."),
    )

    def make_spec(self, values: dict[str, Any]) -> str:
        return values.get("reason", "")

    def check(self) -> Iterable[Problem]:
        return check_decline(self.asset, self.spec, self.actor)

    def save(self) -> Any:
        if isinstance(self.asset, ComputePlan):
            decline_plan(self.asset.pk, self.spec, self.actor)
        else:
            decline_function(self.asset, self.spec, self.actor)
        return self.asset


class TrialForm(PageForm):
    """Begins a dry run of the function `asset`; without a dataset, there is nothing to fill in."""

    field_aliases = {"dataset_key": "dataset"}
    sections = (Section("", "dataset", "fake_samples"),)

    dataset = AssetField(
        Dataset.objects.all(),
        widget=AssetPicker(),
        label=_("Dataset"),
        help_text=_("Its opener makes the fake data. Its data samples are not read."),
        error_messages={"required": _("Choose the dataset whose opener makes the fake data.")},
    )
    fake_samples = forms.IntegerField(
        label=_("Number of fake data samples"),
        initial=1,
        min_value=1,
        max_value=MAX_FAKE_SAMPLES,
        help_text=_("How many the opener makes. More take longer."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not takes_dataset(self.asset):
            self.fields.clear()
            return
        usable = allowing_any([self.actor.organization_id or ""]).values("pk")
        field: Any = self.fields["dataset"]
        field.queryset = field.queryset.filter(permissions__in=usable)

    @property
    def helper(self) -> FormHelper:
        """Lay out the fields, if there are any."""
        helper = super().helper
        if not self.fields:
            helper.layout = Layout()
        return helper

    def make_spec(self, values: dict[str, Any]) -> TrialSpec:
        dataset = values.get("dataset")
        return TrialSpec(
            function_key=self.asset.pk,
            dataset_key=dataset and dataset.pk,
            fake_samples=values.get("fake_samples", 1),
        )

    def check(self) -> Iterable[Problem]:
        return check_trial(self.spec, self.actor)

    def save(self) -> Trial:
        return begin_trial(self.spec, self.actor)
