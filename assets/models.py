"""Where Django finds the models; they live in the rooms."""

from .accounts.models import (
    ApiToken,
    ExternalIdentity,
    FailedSignIn,
    Organization,
    RecoveryCode,
    User,
)
from .common.files.pending import PendingFiles
from .common.idempotency.models import IdempotencyKey
from .compute.models import (
    ComputePlan,
    FailureReport,
    Model,
    Performance,
    Task,
    TaskInput,
    TaskOutput,
)
from .datasets.models import DataSample, DataSampleLink, Dataset, SampleSet, SampleSetMember
from .feed.models import Event
from .functions.models import Function, FunctionInput, FunctionOutput
from .permissions.models import Permissions
from .uploads.models import Upload
