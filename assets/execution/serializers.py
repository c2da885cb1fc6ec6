"""What runners send, and the jobs that they get."""

import math
from typing import Any

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from rest_framework import serializers

from ..common.kinds import INPUT_KINDS, OUTPUT_KINDS, AssetKind
from ..common.rules import CHECKSUM
from ..compute.statuses import ErrorType
from .models import Trial
from .queries.jobs import Input, Work
from .registration.leases import lease

# Of one request: jobs, seconds that it may wait, and bytes of logs.
MAX_JOBS, MAX_WAIT, MAX_LOGS = 100, 20, 2**20


class NumberField(serializers.FloatField):
    """A finite number: JSON has no other, and no text that looks like one."""

    def to_internal_value(self, data: Any) -> float:
        try:
            number = float(data) if type(data) in (int, float) else math.nan
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self.fail("invalid")
        return number


class StepsField(serializers.DictField):
    """Microseconds by step; none by default."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            child=serializers.IntegerField(min_value=0),
            help_text="How many microseconds each step took.",
            **kwargs,
        )


class LogsField(serializers.CharField):
    """A text of at most 1 MiB, with whatever characters a function writes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_blank=True, trim_whitespace=False, default="", **kwargs)
        self.validators = []  # of a text of others, such as that it has no NUL

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        if len(text.encode()) > MAX_LOGS:
            raise serializers.ValidationError(
                f"Longer than {MAX_LOGS} bytes in UTF-8. Send the end of it."
            )
        return text


class ClaimSerializer(serializers.Serializer):
    """How much work a runner takes, and what it is."""

    jobs = serializers.IntegerField(min_value=1, max_value=MAX_JOBS, default=1)
    wait = serializers.FloatField(
        min_value=0,
        max_value=MAX_WAIT,
        default=0,
        help_text="For how many seconds to wait if there is no work.",
    )
    version = serializers.CharField(max_length=50, allow_blank=True, default="")
    engine = serializers.CharField(max_length=50, allow_blank=True, default="")
    data_root = serializers.BooleanField(
        default=False, help_text="Whether the runner reads data samples below a data root."
    )


class RenewSerializer(serializers.Serializer):
    """The jobs that a runner is still at."""

    jobs = serializers.ListField(child=serializers.UUIDField(), max_length=MAX_JOBS)


class StepsSerializer(serializers.Serializer):
    """How long steps of a job took."""

    steps = StepsField()


class FoundSerializer(serializers.Serializer):
    """What a runner found at the path of a data sample, or why it found nothing."""

    key = serializers.UUIDField()
    checksum = serializers.RegexField(CHECKSUM, required=False)
    size = serializers.IntegerField(min_value=0, max_value=2**63 - 1, default=0)
    problem = serializers.CharField(max_length=1000, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("checksum" in attrs) == ("problem" in attrs):
            raise serializers.ValidationError("Give either `checksum` and `size`, or `problem`.")
        return attrs


class FinishSerializer(serializers.Serializer):
    """What a job has made, besides models."""

    performances = serializers.DictField(child=NumberField(), default=dict)
    steps = StepsField(default=dict)
    logs = LogsField(help_text="Of a dry run.")
    samples = FoundSerializer(many=True, default=list, help_text="Of a look at data samples.")


class FailSerializer(serializers.Serializer):
    """Why a job failed."""

    error_type = serializers.ChoiceField(choices=ErrorType)
    logs = LogsField(help_text="The end of what the function wrote; none of an INTERNAL_ERROR.")
    steps = StepsField(default=dict)


class ModelPartSerializer(serializers.Serializer):
    """What a part of a model is of, in the query of its address."""

    identifier = serializers.CharField(max_length=100, help_text="The output of the task.")
    checksum = serializers.RegexField(CHECKSUM, help_text="sha256 of the whole model")
    size = serializers.IntegerField(min_value=0, help_text="Bytes of the whole model.")
    offset = serializers.IntegerField(
        min_value=0, default=0, help_text="Where in the model this part begins."
    )

    def validate_size(self, value: int) -> int:
        if value > settings.MAX_UPLOAD_SIZE:
            limit = filesizeformat(settings.MAX_UPLOAD_SIZE)
            raise serializers.ValidationError(
                f"The server takes models of at most {limit}. Ask its administrator for a larger "
                "MAX_UPLOAD_SIZE."
            )
        return value


# --- Answers -------------------------------------------------------------------------------------


class JobFunctionSerializer(serializers.Serializer):
    """The function of a job."""

    key = serializers.UUIDField()
    name = serializers.CharField()
    checksum = serializers.CharField(help_text="sha256 of the archive")
    size = serializers.IntegerField()
    address = serializers.URLField()


class JobTaskSerializer(serializers.Serializer):
    """The task of a job."""

    key = serializers.UUIDField()
    rank = serializers.IntegerField()
    compute_plan_key = serializers.UUIDField()


class JobInputSerializer(serializers.Serializer):
    """An input of a job. Its content is at `address`, or at `path` below the data root."""

    identifier = serializers.CharField()
    kind = serializers.CharField(help_text=", ".join(INPUT_KINDS))
    multiple = serializers.BooleanField()
    key = serializers.UUIDField()
    checksum = serializers.CharField(
        help_text="sha256 of the file; of a folder, of what is in it. Blank if it is not known."
    )
    size = serializers.IntegerField()
    address = serializers.URLField(allow_null=True)
    path = serializers.CharField(allow_null=True)
    is_folder = serializers.BooleanField(
        help_text="Whether it is a folder, of which `address` sends a tar archive."
    )


class JobOutputSerializer(serializers.Serializer):
    """An output of a job."""

    identifier = serializers.CharField()
    kind = serializers.CharField(help_text=", ".join(OUTPUT_KINDS))
    multiple = serializers.BooleanField()


class JobSerializer(serializers.Serializer):
    """A job, with all that its runner needs."""

    key = serializers.UUIDField()
    kind = serializers.CharField(help_text="build, task, trial or look")
    expires_in = serializers.FloatField(help_text="Seconds; renew it before.")
    function = JobFunctionSerializer(allow_null=True)
    task = JobTaskSerializer(allow_null=True)
    inputs = JobInputSerializer(many=True)
    outputs = JobOutputSerializer(many=True)
    fake_samples = serializers.IntegerField(allow_null=True)


class JobsSerializer(serializers.Serializer):
    """The jobs of a claim; none if there was no work."""

    jobs = JobSerializer(many=True)


class ReceivedSerializer(serializers.Serializer):
    """How much of a model has come."""

    received = serializers.IntegerField(required=False, help_text="Bytes from the beginning.")
    key = serializers.UUIDField(required=False, help_text="Of the model, once it is registered.")
    detail = serializers.CharField(required=False)


class RenewedSerializer(serializers.Serializer):
    """What became of a job: one of the two."""

    expires_in = serializers.FloatField(required=False, help_text="Seconds.")
    stop = serializers.CharField(required=False, help_text="Why to stop it.")


class RenewalsSerializer(serializers.Serializer):
    """What became of jobs, by their keys."""

    jobs = serializers.DictField(child=RenewedSerializer())


def job_wire(work: Work, base_url: str) -> dict[str, Any]:
    """Return a job as a runner gets it; `base_url` is that of the API."""
    function, task = work.function, work.task
    job_url = f"{base_url}/runner/job/{work.job.key}"
    return {
        "key": work.job.key,
        "kind": work.kind,
        "expires_in": lease().total_seconds(),
        "function": function
        and {
            "key": function.key,
            "name": function.name,
            "checksum": function.checksum,
            "size": function.size,
            "address": f"{job_url}/function/",
        },
        "task": task
        and {"key": task.key, "rank": task.rank, "compute_plan_key": task.compute_plan_id},
        "inputs": [_input_wire(one, base_url) for one in work.inputs],
        "outputs": [one._asdict() for one in work.outputs],
        "fake_samples": work.fake_samples,
    }


# Where the content of an input is, below the URL of the API.
_ADDRESSES = {
    AssetKind.DATA_MANAGER: "data_manager/{key}/opener/",
    AssetKind.DATA_SAMPLE: "data_sample/{key}/file/",
    AssetKind.MODEL: "model/{key}/file/",
}


def _input_wire(one: Input, base_url: str) -> dict[str, Any]:
    source = one.source
    address = f"{base_url}/{_ADDRESSES[source.kind].format(key=source.key)}"
    return {
        "identifier": one.identifier,
        "kind": source.kind,
        "multiple": one.multiple,
        "key": source.key,
        "checksum": source.checksum,
        "size": source.size,
        "address": None if source.path else address,
        "path": source.path or None,
        "is_folder": source.is_folder or bool(source.path),
    }


# --- Dry runs ------------------------------------------------------------------------------------


class TrialSpecSerializer(serializers.Serializer):
    """Reads the values of a TrialSpec."""

    function_key = serializers.UUIDField()
    dataset_key = serializers.UUIDField(
        required=False, allow_null=True, help_text="Whose opener makes the fake data."
    )
    fake_samples = serializers.IntegerField(
        default=1, help_text="How many data samples the opener makes."
    )


class ListedTrialSerializer(serializers.ModelSerializer):
    """A dry run of a list."""

    function_key = serializers.UUIDField(source="function_id")
    dataset_key = serializers.UUIDField(source="dataset_id", allow_null=True)
    status = serializers.CharField(help_text="waiting, executing, done or failed")
    error_type = serializers.CharField(help_text="As of a task; blank unless it failed.")
    performances = serializers.DictField(child=serializers.FloatField())

    class Meta:
        model = Trial
        fields = (
            *("key", "function_key", "dataset_key", "fake_samples", "status", "creation_date"),
            *("start_date", "end_date", "error_type", "performances"),
        )


class TrialSerializer(ListedTrialSerializer):
    """A dry run of a response, with its logs."""

    class Meta:
        model = Trial
        fields = (*ListedTrialSerializer.Meta.fields, "logs")
