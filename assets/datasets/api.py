"""`/data_manager/` and `/data_sample/`. Contract 2.3, 2.4."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from django.http import QueryDict, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from ..accounts.api.authentication import AUTHENTICATE_RUNNERS_TOO, RunnerAuthentication
from ..accounts.rules import acts_for
from ..common.api.renderers import FILE_RENDERERS
from ..common.api.serializers import by_name
from ..common.api.viewsets import EMPTY, AssetViewSet
from ..common.audit import Action, log_event, log_refusal
from ..common.idempotency.api import idempotent
from ..common.kinds import AssetKind
from ..feed.registration import rename
from ..permissions.access import may_see_content
from ..permissions.api import DescribedAssetViewSet
from ..permissions.downloads import (
    FILE_RESPONSES,
    Gone,
    NotPermitted,
    check_key,
    download,
    send_file,
)
from . import registration
from .filters import DataSampleFilterSet, DatasetFilterSet
from .folders import tar_of_folder
from .models import DataSample, DataSampleCheck, Dataset
from .serializers import (
    DataSampleSerializer,
    DataSampleSpecSerializer,
    DatasetSerializer,
    DatasetSpecSerializer,
    LinkSerializer,
    LookSerializer,
)
from .specs import DataSampleSpec

# How many hidden files and folders a header names.
MAX_NAMED = 20


class DatasetViewSet(DescribedAssetViewSet):
    """Datasets: an opener and its description. The API calls them data managers."""

    queryset = Dataset.objects.all()
    serializer_class = DatasetSerializer
    spec_serializer_class = DatasetSpecSerializer
    filterset_class = DatasetFilterSet

    @extend_schema(request=DatasetSpecSerializer, responses={201: DatasetSerializer})
    @idempotent(AssetViewSet.answer_created)
    def create(self, request: Request, *args, **kwargs) -> Response:
        dataset = registration.register_dataset(self.parsed(request.data), self.user)
        return self.answer_created([str(dataset.key)])

    def rename(self, dataset: Dataset, name: str) -> None:
        rename(self.user, dataset, name)

    @extend_schema(responses=FILE_RESPONSES)
    @action(
        detail=True,
        renderer_classes=FILE_RENDERERS,
        authentication_classes=AUTHENTICATE_RUNNERS_TOO,
    )
    def opener(self, request: Request, key: str, **kwargs):
        """Download the data opener."""
        dataset = self.get_downloadable(key)
        return download(request, dataset.permissions, dataset, "opener", "opener.py")


class DataSampleViewSet(AssetViewSet):
    """Data samples: uploaded archives, or folders that stay on the server or at runners."""

    queryset = DataSample.objects.all()
    serializer_class = DataSampleSerializer
    spec_serializer_class = DataSampleSpecSerializer
    filterset_class = DataSampleFilterSet
    ordering_fields = {"creation_date": "creation_date", "key": "key", "owner": "owner_id"}
    http_method_names = ["get", "post", "head", "options"]

    def answer_again(self, keys: Sequence[str]) -> Response:
        """Return the response to the request that registered these data samples."""
        found = DataSample.objects.in_bulk([UUID(key) for key in keys])
        return self._answer_samples([found[UUID(key)] for key in keys])

    def _answer_samples(self, samples: Sequence[DataSample]) -> Response:
        answer = self.created([str(sample.key) for sample in samples])
        for item, sample in zip(answer, samples, strict=True):
            item["checksum"] = sample.checksum
        # The SDK expects a list of samples as the body, so this goes into a header.
        hidden = self._left_out()
        headers = {"X-Left-Out": ", ".join(hidden)} if hidden else None
        return Response(answer, status=201, headers=headers)

    def _left_out(self) -> list[str]:
        # The samples are registered, even if a folder can no longer be read.
        with suppress(OSError):
            found = registration.left_out(self.spec, self.user)
            return [quote(path.name) for path in found[:MAX_NAMED]]
        return []

    @cached_property
    def spec(self) -> DataSampleSpec:
        """The body of the request, read once; every file is one sample, whatever its name."""
        data, files = self.request.data, by_name(self.request.FILES)
        if isinstance(data, Mapping):
            # A file part may have the name of a field.
            fields = {name: value for name, value in data.items() if name not in files}
            if isinstance(data, QueryDict):
                fields["data_manager_keys"] = data.getlist("data_manager_keys")
            data = fields
        spec: DataSampleSpec = self.parsed(data)
        spec.archives = files
        return spec

    @extend_schema(
        request=DataSampleSpecSerializer, responses={201: DataSampleSerializer(many=True)}
    )
    @idempotent(answer_again)
    def create(self, request: Request, *args, **kwargs) -> Response:
        return self._answer_samples(registration.register_data_samples(self.spec, self.user))

    @extend_schema(methods=["get"], responses={200: LookSerializer})
    @extend_schema(methods=["post"], request=None, responses={200: LookSerializer})
    @action(detail=True, methods=["get", "post"])
    def look(self, request: Request, key: str, **kwargs) -> Response:
        """What a runner found at the folder of a data sample, for its owner; POST: look again."""
        sample = self.get_object()
        if request.method == "POST":
            registration.look_again(sample, self.user)
        if not may_see_content(self.user, sample):
            raise PermissionDenied(f"Only {sample.owner_id} can see the content.")
        if not sample.at_runner:
            raise NotFound("This data sample is not at a runner.")
        return Response(LookSerializer(DataSampleCheck.objects.get(data_sample=sample)).data)

    @extend_schema(responses=FILE_RESPONSES)
    @action(
        detail=True, renderer_classes=FILE_RENDERERS, authentication_classes=[RunnerAuthentication]
    )
    def file(self, request: Request, key: str, **kwargs):
        """Download the archive, or a folder on the server as a tar archive.

        Only the owner's runners can: users have no download of data.
        """
        check_key(key)
        sample = self.get_object()
        if not acts_for(request.user, sample.owner_id):
            log_refusal(Action.DOWNLOADED, AssetKind.DATA_SAMPLE, key=sample.key)
            message = f"Only runners of {sample.owner_id} read this data sample."
            raise NotPermitted(message)
        if sample.archive:
            suffix = sample.archive.name.rpartition("/")[2].partition(".")[2]
            return send_file(request, sample, "archive", f"{sample.key}.{suffix}")
        if sample.at_runner:
            raise Gone("The data sample stays with the runners of its owner; read it there.")
        log_event(
            Action.DOWNLOADED, AssetKind.DATA_SAMPLE, key=sample.key, detail={"file": "folder"}
        )
        return StreamingHttpResponse(
            tar_of_folder(Path(sample.path)), content_type="application/x-tar"
        )

    @extend_schema(request=LinkSerializer, responses={200: EMPTY})
    @action(detail=False, methods=["post"], serializer_class=LinkSerializer)
    @idempotent()
    def bulk_update(self, request: Request, **kwargs) -> Response:
        """Add each of the data samples to each of the datasets."""
        keys = LinkSerializer(data=request.data)
        keys.is_valid(raise_exception=True)
        registration.link_data_samples(
            keys.validated_data["data_manager_keys"],
            keys.validated_data["data_sample_keys"],
            self.user,
        )
        return Response({})
