"""What workers write: statuses, models, performances and failure reports."""

import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage


class Work:
    """What workers do: the rows as they leave them."""

    def __init__(self) -> None:
        self.model = lambda name: apps.get_model("assets", name).objects
        self.models: dict[str, str] = {}
        self.now = datetime.now(UTC)

    def status(self, model: str, statuses: dict[str, str]) -> None:
        for pk, status in statuses.items():
            self.model(model).filter(pk=pk).update(status=status)

    def end(self, task: str, status: str, **values: Any) -> None:
        self.now += timedelta(minutes=1)
        if status != "EXECUTING":
            values["end_date"] = self.now + timedelta(seconds=40)
        self.model("Task").filter(pk=task).update(
            status=f"STATUS_{status}", start_date=self.now, **values
        )

    def finish(self, task: str) -> None:
        """Mark the task as done, with its model and its performance."""
        self.end(task, "DONE")
        row, output = self.model("Task").get(pk=task), self.model("TaskOutput").filter(task=task)
        made = output.get(identifier="model")
        stored = self._store("file", f"models/{task}", f"weights of {task}".encode())
        self.models[task] = str(
            self.model("Model")
            .create(owner=row.worker, permissions=made.permissions, output=made, task=row, **stored)
            .pk
        )
        value = len(self.models) / 7
        self.model("Performance").create(output=output.get(identifier="score"), value=value)

    def disable(self, model: str) -> None:
        found = self.model("Model").get(pk=model)
        default_storage.delete(found.file.name)
        self.model("Model").filter(pk=model).update(file="", file_checksum="", file_size=0)

    def report(self, error_type: str, logs: bytes, **about: str) -> None:
        name = f"logs/{next(iter(about.values()))}"
        self.model("FailureReport").create(
            error_type=error_type, **about, **self._store("logs", name, logs)
        )

    def follow(self) -> None:
        """Let counters, dates and statuses of plans follow from their tasks."""
        from assets.compute.statuses import COUNTERS, plan_status

        for plan in self.model("ComputePlan").all():
            tasks = self.model("Task").filter(compute_plan=plan)
            counts = Counter(tasks.values_list("status", flat=True))
            dates = list(tasks.exclude(start_date=None).order_by("start_date"))
            values = {column: counts[status] for status, column in COUNTERS.items()}
            status = plan_status(dict(counts), cancelled=plan.cancelation_date is not None)
            ended = counts and not any("WAITING" in name or "EXEC" in name for name in counts)
            failed = tasks.filter(status="STATUS_FAILED").order_by("end_date").first()
            self.model("ComputePlan").filter(pk=plan.pk).update(
                status=plan.status if plan.cancelation_date else status,
                task_count=counts.total(),
                start_date=dates[0].start_date if dates else None,
                end_date=dates[-1].end_date if dates and ended else plan.end_date,
                failed_task_key=failed and failed.pk,
                **values,
            )

    def _store(self, field: str, name: str, content: bytes) -> dict[str, Any]:

        return {
            field: default_storage.save(name, ContentFile(content)),
            f"{field}_checksum": hashlib.sha256(content).hexdigest(),
            f"{field}_size": len(content),
        }
