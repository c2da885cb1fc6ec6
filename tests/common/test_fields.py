"""A field of choices looks up one label, in the language of the request."""

from django.db import models
from django.test.utils import isolate_apps
from django.utils import translation
from django.utils.translation import gettext_lazy

from assets.common.db.fields import ChoiceField
from assets.compute.models import ComputePlan
from assets.compute.statuses import PlanStatus
from assets.feed.models import Event


def test_labels_are_those_of_the_choices():
    for status in PlanStatus:
        assert ComputePlan(status=status).get_status_display() == status.label
    for value, label in Event._meta.get_field("asset_kind").choices:
        assert Event(asset_kind=value).get_asset_kind_display() == label


def test_a_value_that_is_no_choice_is_its_own_label():
    assert ComputePlan(status="UNKNOWN").get_status_display() == "UNKNOWN"
    assert ComputePlan(status=None).get_status_display() is None


@isolate_apps()
def test_labels_follow_the_language():
    class Answer(models.Model):  # noqa: DJ008  never shown
        word = ChoiceField(choices=[("y", gettext_lazy("Yes"))])

        class Meta:
            app_label = "assets"

    for language, text in {"de": "Ja", "fr": "Oui", "en": "Yes"}.items():
        with translation.override(language):
            assert Answer(word="y").get_word_display() == text


def test_migrations_have_the_field_of_django():
    field = ComputePlan._meta.get_field("status")
    assert field.deconstruct()[1] == "django.db.models.CharField"
    assert isinstance(field.clone(), models.CharField)
