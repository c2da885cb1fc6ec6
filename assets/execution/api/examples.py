"""Examples of what runners send and get, for the OpenAPI description."""

from drf_spectacular.utils import OpenApiExample

from project import __version__

_JOB = "0b1f4f5e-6a0c-4e0e-9c40-1d4b8f0a6c11"
_TASK = "6f1c9f0e-3c1b-4c57-8a55-0d6f6f1f7b21"
_CHECKSUM = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_ROOT = "https://registrar.example/api"

CLAIM = [
    OpenApiExample(
        "Up to two jobs",
        {"jobs": 2, "wait": 20, "version": __version__, "engine": "process", "data_root": True},
        request_only=True,
    ),
    OpenApiExample(
        "A task",
        {
            "jobs": [
                {
                    "key": _JOB,
                    "kind": "task",
                    "expires_in": 60.0,
                    "function": {
                        "key": "1c5e3ab2-55a7-4d0b-8f0d-4f6f2c1b9a10",
                        "name": "Train",
                        "checksum": _CHECKSUM,
                        "size": 1045,
                        "address": f"{_ROOT}/runner/job/{_JOB}/function/",
                    },
                    "task": {
                        "key": _TASK,
                        "rank": 0,
                        "compute_plan_key": "d2a94ab9-1d4e-4a1c-a8be-93c3b6d1f7e5",
                    },
                    "inputs": [
                        {
                            "identifier": "datasamples",
                            "kind": "ASSET_DATA_SAMPLE",
                            "multiple": True,
                            "key": "77a1f6a8-0d7e-4f0c-b7a5-6f1d0f8f3c02",
                            "checksum": _CHECKSUM,
                            "size": 52_311,
                            "address": None,
                            "path": "ward-7/2026",
                            "is_folder": True,
                        }
                    ],
                    "outputs": [{"identifier": "model", "kind": "ASSET_MODEL", "multiple": False}],
                    "fake_samples": None,
                }
            ]
        },
        response_only=True,
        status_codes=["200"],
    ),
    OpenApiExample("No work", {"jobs": []}, response_only=True, status_codes=["200"]),
]
RENEW = [
    OpenApiExample("One job", {"jobs": [_JOB]}, request_only=True),
    OpenApiExample(
        "Go on", {"jobs": {_JOB: {"expires_in": 60.0}}}, response_only=True, status_codes=["200"]
    ),
    OpenApiExample(
        "Stop",
        {"jobs": {_JOB: {"stop": "It was cancelled. Stop it, and report nothing."}}},
        response_only=True,
        status_codes=["200"],
    ),
]
STEPS = [
    OpenApiExample(
        "Two steps",
        {"steps": {"prepare_inputs": 1_200_000, "download_function": 30_000}},
        request_only=True,
    )
]
FINISH = [
    OpenApiExample(
        "A task that measured",
        {"performances": {"performance": 0.92}, "steps": {"task_execution": 4_100_000}},
        request_only=True,
    ),
    OpenApiExample(
        "A look at a data sample",
        {
            "samples": [
                {
                    "key": "77a1f6a8-0d7e-4f0c-b7a5-6f1d0f8f3c02",
                    "checksum": _CHECKSUM,
                    "size": 52_311,
                }
            ]
        },
        request_only=True,
    ),
]
FAIL = [
    OpenApiExample(
        "The function failed",
        {"error_type": "EXECUTION_ERROR", "logs": "ValueError: the file has no rows"},
        request_only=True,
    ),
    OpenApiExample("The runner failed", {"error_type": "INTERNAL_ERROR"}, request_only=True),
]
