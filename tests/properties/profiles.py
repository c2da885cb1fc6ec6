"""How hard hypothesis searches: `quick` by default, HYPOTHESIS_PROFILE=thorough for a long look.

The quick profile tries the same examples every time, so that a red run stays red.
"""

import os

from hypothesis import HealthCheck, settings

_COMMON = {
    "deadline": None,  # a busy machine is no failure
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}

settings.register_profile("quick", max_examples=50, derandomize=True, **_COMMON)
settings.register_profile("thorough", max_examples=2000, print_blob=True, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
