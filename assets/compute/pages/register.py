"""Pages that register compute plans and tasks."""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.html import format_html

from ...accounts.rules import acts_for
from ...common.audit import note_refusals
from ...common.errors import Problem, Refused
from ...common.pages.snippets import Snippets
from ...common.parsing import as_key
from ...common.text.reading import counted
from ...feed.pages import AssetPageMixin
from ...permissions.access import check_may_change
from ...permissions.pages import RegisterPage
from ..models import ComputePlan, Task
from ..plan_editor.draft import Draft, path_of
from ..plan_editor.editor import Desk
from ..plan_editor.forms import PlanBuilderForm, TasksBuilderForm
from ..plan_editor.page import BuilderPage, told_by
from ..plan_editor.task_form import LoneTaskFields, prefetched
from ..queries.copies import renewed, spec_of_plan, spec_of_task
from ..registration import check_accepts_tasks, check_compute_plan, check_tasks, register_tasks
from ..snippets import plan_snippets, task_json, task_snippets, tasks_snippets
from ..specs import ComputePlanSpec, TaskSpec, parse_tasks
from .base import PlanPageMixin, TaskPageMixin


class PlanRegisterPage(PlanPageMixin, BuilderPage, RegisterPage):
    """Registers a compute plan with its tasks, all or none."""

    template_name = "compute/plan_form.html"
    form_class = PlanBuilderForm
    button = "Register the plan"
    filled = ("name", "tag", "metadata", "key")
    note = (
        "Tasks that belong together, in any order: they are registered all at once, or none of "
        "them."
    )

    def initial(self) -> dict[str, Any]:
        if (like := self.like) is None:
            return {}
        return {"name": like.name, "tag": like.tag, "metadata": like.metadata}

    def draft(self) -> Draft:
        return Draft.of(renewed(spec_of_plan(self.like)).tasks) if self.like else Draft()

    def check(self, specs: list[TaskSpec]) -> Iterable[Problem]:
        key = as_key(self.desk.data.get("key", "")) or uuid4()
        return check_compute_plan(ComputePlanSpec(key, "draft", tasks=specs), self.user)

    def snippets(self, form: PlanBuilderForm) -> Snippets:
        return plan_snippets(form.spec, self.request)

    def success(self, result: ComputePlan) -> tuple[str, str]:
        count = Task.objects.filter(compute_plan=result).count()
        tasks = counted(count, "task") if count else "no tasks"
        said = format_html("<strong>{}</strong> is registered with {}.", result, tasks)
        return said, reverse(self.detail_url, args=[result.pk])


class PlanTasksPage(PlanPageMixin, AssetPageMixin, BuilderPage):
    """Adds tasks to a registered plan, all or none."""

    form_class = TasksBuilderForm
    button = "Register the tasks"
    title = "Add tasks"

    @property
    def plan(self) -> ComputePlan:
        plan: ComputePlan = self.object
        return plan

    def asset(self) -> ComputePlan:
        return self.plan

    def why_not(self) -> Iterable[Problem]:
        problems = list(check_may_change(self.user, self.plan, "add tasks to this compute plan"))
        return problems or check_accepts_tasks(self.plan.status, self.plan.pk)

    def check(self, specs: list[TaskSpec]) -> Iterable[Problem]:
        return check_tasks(specs, self.user, self.plan.pk)

    def snippets(self, form: TasksBuilderForm) -> Snippets:
        return tasks_snippets(self.plan.pk, form.spec, self.request)

    def success(self, result: ComputePlan) -> tuple[str, str]:
        said = format_html("The tasks are registered in <strong>{}</strong>.", result)
        return said, reverse(self.detail_url, args=[result.pk])


class TaskRegisterPage(TaskPageMixin, RegisterPage):
    """Registers a single task, in a plan or by itself."""

    template_name = "compute/task_form.html"
    button = "Register the task"

    def make_desk(self, data: QueryDict) -> Desk:
        return Desk(data, self.user, lambda draft: [], fields=LoneTaskFields)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.desk = self.make_desk(QueryDict(mutable=True))
        if like := self.like:
            task = task_json(spec_of_task(like), "task_id")
            plan = like.compute_plan_id if acts_for(self.user, like.owner_id) else None
            task |= {"task_id": str(uuid4()), "compute_plan_key": plan}
            self.desk.open(task, prefetched(like.function_id), None)
        elif function := prefetched(as_key(request.GET.get("function", ""))):
            self.desk.open({"worker": self.user.organization_id}, function, None)
        if self.desk.task:
            self.desk.task.skip_validation()
        self.desk.focus = ""
        return self.show(None)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        action, of_what = self.pressed
        self.desk = desk = self.make_desk(request.POST.copy())
        if field := desk.get_field_by_html_name(request.POST.get("live", "")):
            return self.show_field(field)
        if action == "register":
            return self.register(desk.task)
        desk.act(action, of_what)
        if desk.task:
            snippets = self.snippets(desk.task) if action == "code" else []
            desk.task.skip_validation()
            return self.show(None, snippets=snippets)
        return self.show(None)

    def snippets(self, form: LoneTaskFields) -> Snippets:
        form.is_valid()
        specs, _ = parse_tasks({"tasks": [form.body()]})
        return task_snippets(specs[0], self.request) if specs else []

    def register(self, form: LoneTaskFields | None) -> HttpResponse:
        if form is None:
            self.desk.complaint = "Choose a function first."
            return self.show(None, status=422)
        form.is_valid()
        specs, problems = parse_tasks({"tasks": [form.body()]})
        problems += [] if problems else check_tasks(specs, self.user)
        if not problems and not form.errors:
            try:
                register_tasks(specs, self.user)
            except Refused as refused:
                problems = refused.problems
            else:
                return self.done(form, Task.objects.get(pk=specs[0].key))
        note_refusals(problems)
        form.show_all([(path_of(problem), problem) for problem in problems])
        self.desk.focus = "errors"
        return self.show(None, status=422)

    def show(self, form: Any, status: int = 200, **context: Any) -> HttpResponse:
        status = told_by(self.request, status)
        return super().show(form, status=status, desk=self.desk, **context)
