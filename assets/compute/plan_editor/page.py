"""The base of pages on which plans are built."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _

from ...common.audit import note_refusals
from ...common.errors import Problem
from ...permissions.pages import FormPage
from ..models import ComputePlan
from ..specs import TaskSpec
from .draft import Draft, validate_draft
from .editor import PlanEditor
from .listing import (
    MAX_DRAWN_TASKS,
    MAX_LISTED_PROBLEMS,
    draw_draft,
    list_rows,
    listed_places,
    row_problems,
)
from .names import Names
from .packing import FEWEST, packed
from .uploads import merge_uploaded_plan


def status_for_htmx(request: HttpRequest, status: int) -> int:
    """Return 200 for a script, which swaps a part of a page in only then; else the status."""
    return 200 if "HX-Request" in request.headers else status


class PlanEditorPage(FormPage):
    """A page with the tasks of a plan as a draft, built one by one or written as JSON.

    Buttons beside those of every form: `check`, and the actions of a `PlanEditor`.
    """

    template_name = "compute/tasks_form.html"
    # Fields that a whole plan pasted as tasks fills.
    filled: ClassVar[tuple[str, ...]] = ()

    @property
    def plan(self) -> ComputePlan | None:
        """The registered plan that the tasks are for, if there is one."""
        return None

    def check(self, specs: list[TaskSpec]) -> Iterable[Problem]:
        """Return the problems of a draft's tasks."""
        raise NotImplementedError

    def draft(self) -> Draft:
        """Return the tasks that the page begins with."""
        return Draft()

    def make_editor(self, data: QueryDict) -> PlanEditor:
        return PlanEditor(
            data, self.user, lambda draft: validate_draft(draft, self.check), self.plan
        )

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if any(self.why_not()):
            return self.show(None)
        data = QueryDict(mutable=True)
        initial = self.initial()
        data["tasks"] = initial["tasks"] = self.draft().text()
        self.editor = self.make_editor(data)
        return self.show(self.make_form(initial=initial))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        action, argument = self.pressed
        if why_not := list(self.why_not()):
            if "live" not in request.POST:
                note_refusals(why_not)
            return self.show(None, status=422)
        data, notice = merge_uploaded_plan(request, self.filled)
        self.editor = self.make_editor(data)
        self.editor.notice = notice
        if live := request.POST.get("live"):
            return self.answer_live(live)
        if action in ("register", "check", "code"):
            return self.act(self.make_form(data), action, argument)
        self.editor.act(action, argument)
        form = self.make_form(data)
        # Problems that were listed stay listed in the other view.
        stays = action == "view" and "validated" in request.POST
        if self.editor.is_readable and not stays:
            return self.skip_validation(form, status=422 if self.editor.is_validated else 200)
        return self.show(form, status=200 if form.is_valid() else 422)

    def answer_live(self, name: str) -> HttpResponse:
        field = self.editor.get_field_by_html_name(name)
        if field is None:
            # The fields of the plan are validated without its tasks.
            self.editor.data["tasks"] = ""
            form = self.make_form(self.editor.data)
            form.is_valid()
            field = form.get_field_by_html_name(name)
        return self.show_field(field)

    def act(self, form: Any, action: str, argument: str) -> HttpResponse:
        if action == "check":
            status = 200 if form.is_valid() else 422
            return self.show(form, is_checked=True, status=status)
        return super().act(form, action, argument)

    def register(self, form: Any) -> HttpResponse:
        if self.editor.task is not None:
            message = _("Task %(number)d is not in the plan yet. Add it, or discard it.")
            self.editor.error = message % {"number": self.editor.number}
            self.editor.focus = "task"
            return self.skip_validation(form, status=422)
        return super().register(form)

    def show(self, form: Any, status: int = 200, **context: Any) -> HttpResponse:
        if form is not None:
            context |= self.editor_context(form)
        return super().show(form, status=status_for_htmx(self.request, status), **context)

    def editor_context(self, form: Any) -> dict[str, Any]:
        """Return what the template shows of the draft."""
        editor, draft = self.editor, self.editor.draft
        problems = list(form.task_problems)
        places = listed_places(draft, problems[:MAX_LISTED_PROBLEMS])
        names = Names(draft, [draft[place] for place in places])
        listed = row_problems(problems[:MAX_LISTED_PROBLEMS], draft, names)
        is_building = editor.view == "build"
        text = editor.data.get("tasks", "")
        return {
            "editor": editor,
            "is_building": is_building,
            "max_drawn": MAX_DRAWN_TASKS,
            "draft_text": text,
            "packed_draft": packed(draft) if is_building and len(text) >= FEWEST else "",
            "rows": list_rows(draft, names, places, listed) if is_building else [],
            "unlisted": len(draft) - len(places),
            "row_problems": listed,
            "problem_count": len(problems),
            "unlisted_problems": len(problems) - len(listed),
            "tasks_with_problems": len({problem.place for problem in listed}),
            "graph": draw_draft(draft, names, self.plan) if is_building else None,
        }
