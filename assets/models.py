"""Where Django finds the models; they live in the rooms."""

from .accounts.models import (
    ApiToken,
    ExternalIdentity,
    FailedSignIn,
    Organization,
    RecoveryCode,
    Runner,
    User,
)
from .common.files.pending import PendingFiles
from .common.idempotency.models import IdempotencyKey
from .compute.models import (
    ComputePlan,
    FailureReport,
    Model,
    Performance,
    ProfilingStep,
    Task,
    TaskInput,
    TaskOutput,
)
from .datasets.models import (
    DataSample,
    DataSampleCheck,
    DataSampleLink,
    Dataset,
    SampleSet,
    SampleSetMember,
)
from .execution.models import Approval, Job, RunPolicy, Trial
from .feed.models import Event
from .functions.models import Function, FunctionInput, FunctionOutput
from .permissions.models import Permissions
from .uploads.models import Upload
