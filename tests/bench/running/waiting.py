"""Register tasks that can run at once, and their runners: `python -m tests.bench.running.waiting`.

Prints the tokens of the runners as JSON.
"""

import argparse
import json
import os

ORGANIZATION = "AlphaMSP"


def register(tasks: int, runners: int) -> list[str]:
    """Return the tokens of new runners of the only organisation, for which the tasks wait."""
    from uuid import uuid4

    from assets.accounts.models import Organization, Role, User
    from assets.accounts.registration.organizations import create_organization
    from assets.accounts.registration.runners import create_runner
    from assets.accounts.registration.users import create_user
    from assets.compute.registration import register_compute_plan
    from assets.compute.registration.progress import move_function
    from assets.compute.specs import ComputePlanSpec, OutputSpec, TaskSpec
    from assets.functions.models import FunctionStatus
    from assets.functions.registration import register_function
    from assets.functions.specs import FunctionOutputSpec
    from assets.permissions.specs import PermissionsSpec
    from tests.builders import function_spec

    public = PermissionsSpec(True)
    organization = Organization.objects.filter(pk=ORGANIZATION).first()
    organization = organization or create_organization(ORGANIZATION)
    user = User.objects.first() or create_user(
        "member", organization=organization, role=Role.MEMBER, password=uuid4().hex
    )
    outputs = [FunctionOutputSpec("performance", "ASSET_PERFORMANCE")]
    function = register_function(
        function_spec(name="does nothing", inputs=[], outputs=outputs, permissions=public), user
    )
    for status in (FunctionStatus.BUILDING, FunctionStatus.READY):
        move_function(function.key, status, user)
    specs = [
        TaskSpec(
            uuid4(),
            function.key,
            worker=organization.pk,
            outputs={"performance": OutputSpec(public)},
        )
        for _ in range(tasks)
    ]
    if specs:
        register_compute_plan(ComputePlanSpec(uuid4(), "nothing to do", tasks=specs), user)
    return [create_runner(organization, name=uuid4().hex)[1] for _ in range(runners)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", type=int)
    parser.add_argument("runners", type=int)
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    import django

    django.setup()
    print(json.dumps(register(arguments.tasks, arguments.runners)))


if __name__ == "__main__":
    main()
