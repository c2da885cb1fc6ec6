"""Pages that register compute plans and tasks."""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from ...accounts.rules import acts_for
from ...common.audit import note_refusals
from ...common.errors import Problem, Refused
from ...common.pages.snippets import Snippets
from ...common.parsing import as_key
from ...feed.pages.assets import AssetPageMixin
from ...permissions.access import check_may_change
from ...permissions.pages import RegisterPage
from ..models import ComputePlan, Task
from ..plan_editor.draft import Draft, path_of
from ..plan_editor.editor import PlanEditor
from ..plan_editor.forms import PlanEditorForm, TasksEditorForm
from ..plan_editor.page import PlanEditorPage, status_for_htmx
from ..plan_editor.task_form import SingleTaskFields, prefetched
from ..queries.copies import renewed, spec_of_plan, spec_of_task
from ..registration import check_accepts_tasks, check_compute_plan, check_tasks, register_tasks
from ..registration.rules import OWNER_ADDS_TASKS
from ..snippets import plan_snippets, task_json, task_snippets, tasks_snippets
from ..specs import ComputePlanSpec, TaskSpec, parse_tasks
from .base import PlanPageMixin, TaskPageMixin


class PlanRegisterPage(PlanPageMixin, PlanEditorPage, RegisterPage):
    """Registers a compute plan with its tasks, all or none."""

    template_name = "compute/plan_form.html"
    form_class = PlanEditorForm
    button = gettext_lazy("Register the plan")
    filled = ("name", "tag", "metadata", "key")
    note = gettext_lazy("A plan groups tasks. All of its tasks are registered at once, or none.")

    def initial(self) -> dict[str, Any]:
        if (like := self.like) is None:
            return {}
        return {"name": like.name, "tag": like.tag, "metadata": like.metadata}

    def draft(self) -> Draft:
        return Draft.of(renewed(spec_of_plan(self.like)).tasks) if self.like else Draft()

    def check(self, specs: list[TaskSpec]) -> Iterable[Problem]:
        key = as_key(self.editor.data.get("key", "")) or uuid4()
        return check_compute_plan(ComputePlanSpec(key, "draft", tasks=specs), self.user)

    def snippets(self, form: PlanEditorForm) -> Snippets:
        return plan_snippets(form.spec, self.request)

    def success(self, result: ComputePlan) -> tuple[str, str]:
        count = Task.objects.filter(compute_plan=result).count()
        tasks = ngettext("%(count)s task", "%(count)s tasks", count) % {"count": f"{count:,}"}
        message = format_html(_("Registered <strong>{}</strong> with {}."), result, tasks)
        return message, reverse(self.detail_url, args=[result.pk])


class PlanTasksPage(PlanPageMixin, AssetPageMixin, PlanEditorPage):
    """Adds tasks to a registered plan, all or none."""

    form_class = TasksEditorForm
    button = gettext_lazy("Register the tasks")
    title = gettext_lazy("Add tasks")

    @property
    def plan(self) -> ComputePlan:
        plan: ComputePlan = self.object
        return plan

    def asset(self) -> ComputePlan:
        return self.plan

    def why_not(self) -> Iterable[Problem]:
        problems = list(check_may_change(self.user, self.plan, OWNER_ADDS_TASKS))
        return problems or check_accepts_tasks(self.plan.status, self.plan.pk)

    def check(self, specs: list[TaskSpec]) -> Iterable[Problem]:
        return check_tasks(specs, self.user, self.plan.pk)

    def snippets(self, form: TasksEditorForm) -> Snippets:
        return tasks_snippets(self.plan.pk, form.spec, self.request)

    def success(self, result: ComputePlan) -> tuple[str, str]:
        message = format_html(_("Registered the tasks in <strong>{}</strong>."), result)
        return message, reverse(self.detail_url, args=[result.pk])


class TaskRegisterPage(TaskPageMixin, RegisterPage):
    """Registers a single task, in a plan or by itself."""

    template_name = "compute/task_form.html"
    button = gettext_lazy("Register the task")

    def make_editor(self, data: QueryDict) -> PlanEditor:
        return PlanEditor(data, self.user, lambda draft: [], fields=SingleTaskFields)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.editor = self.make_editor(QueryDict(mutable=True))
        if like := self.like:
            task = task_json(spec_of_task(like), "task_id")
            plan = like.compute_plan_id if acts_for(self.user, like.owner_id) else None
            task |= {"task_id": str(uuid4()), "compute_plan_key": plan}
            self.editor.open(task, prefetched(like.function_id), None)
        elif function := prefetched(as_key(request.GET.get("function", ""))):
            self.editor.open({"worker": self.user.organization_id}, function, None)
        self.editor.focus = ""
        return self.show_as_typed()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        action, argument = self.pressed
        self.editor = editor = self.make_editor(request.POST.copy())
        if field := editor.get_field_by_html_name(request.POST.get("live", "")):
            return self.show_field(field)
        if action == "register":
            return self.register(editor.task)
        editor.act(action, argument)
        snippets = self.snippets(editor.task) if action == "code" and editor.task else []
        return self.show_as_typed(snippets=snippets)

    def snippets(self, form: SingleTaskFields) -> Snippets:
        form.is_valid()
        specs, _problems = parse_tasks({"tasks": [form.body()]})
        return task_snippets(specs[0], self.request) if specs else []

    def register(self, form: SingleTaskFields | None) -> HttpResponse:
        if form is None:
            self.editor.error = _("Choose a function first.")
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
        form.add_problems([(path_of(problem), problem) for problem in problems])
        self.editor.focus = "errors"
        return self.show(None, status=422)

    def show_as_typed(self, **context: Any) -> HttpResponse:
        if self.editor.task:
            self.editor.task.skip_validation()
        return self.show(None, **context)

    def show(self, form: Any, status: int = 200, **context: Any) -> HttpResponse:
        status = status_for_htmx(self.request, status)
        return super().show(form, status=status, editor=self.editor, **context)
