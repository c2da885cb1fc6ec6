"""Where Django finds the models; they live in the rooms."""

from .compute.models import ComputePlan, Task, TaskInput, TaskOutput
from .datasets.models import DataSample, DataSampleLink, Dataset
from .feed.models import Event
from .functions.models import Function, FunctionInput, FunctionOutput
from .organizations.models import ApiToken, Organization, User
from .outputs.models import FailureReport, Model, Performance
from .permissions.models import Permissions
from .uploads.models import Upload

__all__ = [
    "ApiToken",
    "ComputePlan",
    "DataSample",
    "DataSampleLink",
    "Dataset",
    "Event",
    "FailureReport",
    "Function",
    "FunctionInput",
    "FunctionOutput",
    "Model",
    "Organization",
    "Performance",
    "Permissions",
    "Task",
    "TaskInput",
    "TaskOutput",
    "Upload",
    "User",
]
