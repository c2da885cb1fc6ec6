#!/usr/bin/env bash
# drf-spectacular describes a nullable JSONField in OpenAPI 3.1 so that its schema refuses null.
#
# Expected: JSONField(allow_null=True) accepts null, and so does the schema that describes it.
# Seen: the schema is oneOf [{}, {"type": "null"}]. A JSONField may be anything, hence the {}. null
#   matches both, and oneOf asks for exactly one match. So null is the one value that the schema
#   refuses, and a client or a contract test that follows the schema calls the API's own answers
#   invalid.
# Versions: drf-spectacular 0.30.0, djangorestframework 3.18.3, Django 5.2.19, jsonschema 4.26.0,
#   Python 3.11.7
# Last line: null: serializer accepts, schema refuses; {}: serializer accepts, schema accepts
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check \
    drf-spectacular==0.30.0 djangorestframework==3.18.3 Django==5.2.19 jsonschema==4.26.0

cat > show.py <<'PYTHON'
import json
import sys

import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "drf_spectacular"],
    ROOT_URLCONF=__name__,
    REST_FRAMEWORK={"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"},
    SPECTACULAR_SETTINGS={"OAS_VERSION": "3.1.1"},
)
django.setup()

from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from rest_framework import generics, serializers


class TaskSerializer(serializers.Serializer):
    parameters = serializers.JSONField(allow_null=True)


class Tasks(generics.CreateAPIView):
    serializer_class = TaskSerializer


urlpatterns = [path("tasks/", Tasks.as_view())]

document = SchemaGenerator().get_schema(request=None, public=True)
schema = document["components"]["schemas"]["Task"]
print("OpenAPI", document["openapi"], json.dumps(schema["properties"]))


def verdicts(value):
    body = {"parameters": value}
    by_serializer = TaskSerializer(data=body).is_valid()
    by_schema = Draft202012Validator(schema).is_valid(body)
    return by_serializer, by_schema


def sentence(value):
    words = ["accepts" if accepted else "refuses" for accepted in verdicts(value)]
    return f"{json.dumps(value)}: serializer {words[0]}, schema {words[1]}"


print("; ".join(map(sentence, (None, {}))))
sys.exit((verdicts(None), verdicts({})) != ((True, False), (True, True)))
PYTHON
venv/bin/python show.py
