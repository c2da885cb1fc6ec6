"""`/compute_plan_metadata/`: the metadata keys of plans. Contract 2.12."""

from django.db import connection
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import CharField, ListSerializer
from rest_framework.views import APIView

from ..models import ComputePlan

# The database extracts the distinct keys, so that no metadata is sent.
_SQL = {
    "sqlite": "SELECT DISTINCT e.key FROM {table} p, json_each(p.metadata) e",
    "postgresql": "SELECT DISTINCT jsonb_object_keys(metadata) FROM {table}",
}


class PlanMetadataView(APIView):
    """The distinct metadata keys of all compute plans, sorted."""

    @extend_schema(responses={200: ListSerializer(child=CharField())})
    def get(self, request: Request, **kwargs) -> Response:
        table = connection.ops.quote_name(ComputePlan._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(_SQL[connection.vendor].format(table=table))
            return Response(sorted(row[0] for row in cursor.fetchall()))
