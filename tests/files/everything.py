"""One row of every registered model, for tests that go through all of them."""

import datetime
import uuid
from typing import Any

from django.apps import apps
from django.db import models

from assets.compute.statuses import TaskStatus
from assets.immutable import CHANGEABLE
from tests import builders
from tests.permissions.consortium import VISIBILITIES, make_assets


def registered_models() -> list[type[models.Model]]:
    return [apps.get_model("assets", name) for name in CHANGEABLE]


def make_everything(actor) -> dict[str, Any]:
    """Register so much that every model has a row; return one of each, by the model's name."""
    assets = make_assets(actor, VISIBILITIES["private"])
    score = builders.make_function(actor, inputs=(), outputs=(builders.PERFORMANCE_OUTPUT,))
    outputs = {"performance": builders.OutputSpec(builders.PUBLIC)}
    spec = builders.aggregate_task(score, actor.organization_id, outputs=outputs)
    builders.make_plan(actor, spec)
    builders.set_status([spec.key], TaskStatus.DONE)
    builders.make_performance(spec.key, 0.5)
    builders.make_step(spec.key)
    rows = {model.__name__: model._default_manager.first() for model in registered_models()}
    missing = [name for name, row in rows.items() if row is None]
    assert not missing, f"no row of {missing}"
    of_assets = {"Dataset": assets.dataset, "DataSample": assets.sample}
    return {**rows, **of_assets, "ComputePlan": assets.plan, "Task": assets.done}


def another_value(field: models.Field, value: Any) -> Any:
    """Return a value of the field's type that is not `value`; keys refer to nothing."""
    target = getattr(field, "target_field", field)
    if isinstance(target, models.UUIDField):
        return uuid.uuid4()
    if isinstance(target, models.BooleanField):
        return not value
    if isinstance(target, models.DateTimeField):
        return datetime.datetime(2001, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)
    if isinstance(target, models.JSONField):
        return {"another": "value"}
    if isinstance(target, models.IntegerField | models.FloatField | models.AutoField):
        return (value or 0) + 1000
    if field.choices:
        return next(choice for choice, _ in field.flatchoices if choice != value)
    if isinstance(target, models.GenericIPAddressField):
        return "192.0.2.7"
    assert isinstance(target, models.CharField | models.FileField | models.TextField), type(target)
    return "another"
