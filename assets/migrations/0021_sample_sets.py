"""Tables for data samples that tasks take as a list, each distinct list once.

The next migration fills them.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

import assets.common.db.fields


def _optional(to):
    return models.ForeignKey(to, models.PROTECT, null=True, db_index=False, related_name="+")


SOURCES = ("dataset", "sample_set", "model", "parent_task")


def _one_source():
    condition = Q()
    for source in SOURCES:
        only = Q(**{f"{column}__isnull": column != source for column in SOURCES})
        blank = Q(parent_output_identifier="")
        condition |= only & (~blank if source == "parent_task" else blank)
    return condition


class Migration(migrations.Migration):
    dependencies = [
        ("assets", "0020_organisation_label"),
    ]

    operations = [
        migrations.CreateModel(
            name="SampleSet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("keys", models.JSONField(verbose_name="keys")),
                ("count", models.PositiveIntegerField(verbose_name="number of data samples")),
                ("digest", assets.common.db.fields.ChecksumField(editable=False, max_length=64, unique=True, verbose_name="digest")),
            ],
            options={"verbose_name": "list of data samples", "verbose_name_plural": "lists of data samples"},
        ),
        migrations.CreateModel(
            name="SampleSetMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sample_set", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="members", to="assets.sampleset")),
                ("data_sample", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="memberships", to="assets.datasample")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("sample_set", "data_sample"), name="samplesetmember_once")],
                "indexes": [models.Index(fields=["data_sample", "sample_set"], name="samplesetmember_sample")],
            },
        ),
        migrations.AddField(
            model_name="sampleset",
            name="samples",
            field=models.ManyToManyField(related_name="sets", through="assets.SampleSetMember", to="assets.datasample", verbose_name="data samples"),
        ),
        # Takes the place of TaskInput, and its name, when it is filled.
        migrations.CreateModel(
            name="TaskInputGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                ("identifier", models.CharField(max_length=100, verbose_name="identifier")),
                ("parent_output_identifier", models.CharField(blank=True, max_length=100)),
                ("dataset", _optional("assets.dataset")),
                ("sample_set", _optional("assets.sampleset")),
                ("model", _optional("assets.model")),
                ("parent_task", _optional("assets.task")),
                ("task", models.ForeignKey("assets.task", models.CASCADE, db_index=False, related_name="+")),
            ],
            options={
                "verbose_name": "input",
                "verbose_name_plural": "inputs",
                "ordering": ["task", "position"],
                "constraints": [
                    models.UniqueConstraint(fields=("task", "position"), name="taskinput_one_position"),
                    models.CheckConstraint(condition=_one_source(), name="taskinput_one_source"),
                ],
                "indexes": [
                    models.Index(fields=[source, "task"], condition=Q(**{f"{source}__isnull": False}), name=f"taskinput_of_{source}")
                    for source in SOURCES
                ],
            },
        ),
    ]
