"""Takes the models that jobs make."""

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from ...common.ops.body_limits import BINARY, takes_file
from ...common.parsing import as_key
from ..registration.arrivals import Announced, WrongOffset, add_part, received
from ..serializers import ModelPartSerializer, ReceivedSerializer
from .base import RunnerView


class BinaryParser(BaseParser):
    """Leaves the body for the view to read."""

    media_type = BINARY

    def parse(self, stream, media_type=None, parser_context=None):
        return stream


class JobModelView(RunnerView):
    """Takes a model in one part or in several."""

    parser_classes = [BinaryParser]

    @extend_schema(operation_id="runner_job_model", responses={200: ReceivedSerializer})
    def get(self, request: Request, key: str, model: str, **kwargs) -> Response:
        """Return how many bytes of a model have come: continue there after an interruption."""
        return Response({"received": received(self.job(key), _key_of(model))})

    @extend_schema(
        operation_id="runner_job_model_part",
        parameters=[ModelPartSerializer],
        request={BINARY: OpenApiTypes.BINARY},
        responses={
            200: OpenApiResponse(ReceivedSerializer, description="More bytes must follow."),
            201: OpenApiResponse(ReceivedSerializer, description="The model is registered."),
            409: OpenApiResponse(
                ReceivedSerializer,
                description="With `received`: the part begins elsewhere; continue there. Without "
                "it: the job has ended, or the output has its model.",
            ),
        },
    )
    @takes_file
    def put(self, request: Request, key: str, model: str, **kwargs) -> Response:
        """Send a part of a model, or all of it; once it is whole, it is registered.

        Choose a key for the model, and keep it when you send a part again.
        """
        job = self.job(key)
        request.data  # noqa: B018  refuses other media types
        query = ModelPartSerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        part = dict(query.validated_data)
        offset = part.pop("offset")
        try:
            found = add_part(job, Announced(_key_of(model), **part), offset, request._request.read)
        except WrongOffset as error:
            return Response({"detail": str(error), "received": error.received}, status=409)
        if isinstance(found, int):
            return Response({"received": found})
        return Response({"key": found.key, "received": part["size"]}, status=201)


def _key_of(model: str) -> UUID:
    key = as_key(model)
    if key is None:
        raise NotFound(f'"{model}" is no key of a model. Choose a UUID.')
    return key
