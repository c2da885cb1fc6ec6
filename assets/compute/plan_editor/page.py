"""What the pages have in common on which plans and tasks are built."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse, QueryDict

from ...common.audit import note_refusals
from ...common.errors import Problem
from ...permissions.pages import FormPage
from ..models import ComputePlan
from ..specs import TaskSpec
from .draft import Draft
from .editor import Desk
from .forms import judge
from .listing import DRAWN, TOLD, graph_of, rows_of, shown_places, told
from .names import Names
from .uploads import absorb


def told_by(request: HttpRequest, status: int) -> int:
    """Return the status: a part of a page that says what is wrong is no failure to a script."""
    return 200 if "HX-Request" in request.headers else status


class BuilderPage(FormPage):
    """A page with the tasks of a plan as a draft, to be built or written as JSON.

    Buttons beside those of every form: `check`, `view:build` and `view:json`, and what a `Desk`
    does.
    """

    template_name = "compute/tasks_form.html"
    # Fields that a whole plan pasted as tasks fills.
    filled: ClassVar[tuple[str, ...]] = ()

    @property
    def plan(self) -> ComputePlan | None:
        """The registered plan that the tasks are for, if there is one."""
        return None

    def check(self, specs: list[TaskSpec]) -> Iterable[Problem]:
        """Return what is wrong with the tasks of a draft."""
        raise NotImplementedError

    def draft(self) -> Draft:
        """Return the tasks that the page begins with."""
        return Draft()

    def make_desk(self, data: QueryDict) -> Desk:
        return Desk(data, self.user, lambda draft: judge(draft, self.check), self.plan)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if any(self.why_not()):
            return self.show(None)
        data = QueryDict(mutable=True)
        initial = self.initial()
        data["tasks"] = initial["tasks"] = self.draft().text()
        self.desk = self.make_desk(data)
        return self.show(self.make_form(initial=initial))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        action, of_what = self.pressed
        if why_not := list(self.why_not()):
            if "live" not in request.POST:
                note_refusals(why_not)
            return self.show(None, status=422)
        data, said = absorb(request, self.filled)
        self.desk = self.make_desk(data)
        self.desk.notice = said
        if live := request.POST.get("live"):
            return self.answer_live(live)
        if action not in ("register", "check", "code"):
            self.desk.act(action, of_what)
            form = self.make_form(self.desk.data)
            # What was found wrong is shown in the other view, too.
            stays = action == "view" and "judged" in request.POST
            if self.desk.readable and not stays:
                return self.skip_validation(form, status=422 if self.desk.is_judged else 200)
            return self.show(form, status=200 if form.is_valid() else 422)
        return self.act(self.make_form(self.desk.data), action, of_what)

    def answer_live(self, name: str) -> HttpResponse:
        field = self.desk.get_field_by_html_name(name)
        if field is None:
            # Fields of the plan are judged without its tasks.
            self.desk.data["tasks"] = ""
            form = self.make_form(self.desk.data)
            form.is_valid()
            field = form.get_field_by_html_name(name)
        return self.show_field(field)

    def act(self, form: Any, action: str, of_what: str) -> HttpResponse:
        if action == "check":
            form.is_valid()
            return self.show(form, is_checked=True, status=200 if form.is_valid() else 422)
        return super().act(form, action, of_what)

    def register(self, form: Any) -> HttpResponse:
        if self.desk.task is not None:
            self.desk.complaint = (
                f"Task {self.desk.number} is not in the plan yet: add it, or discard it."
            )
            self.desk.focus = "task"
            return self.skip_validation(form, status=422)
        return super().register(form)

    def show(self, form: Any, status: int = 200, **context: Any) -> HttpResponse:
        if form is not None:
            context |= self.desk_context(form)
        return super().show(form, status=told_by(self.request, status), **context)

    def desk_context(self, form: Any) -> dict[str, Any]:
        """Return what the template shows of the draft."""
        desk, draft = self.desk, self.desk.draft
        problems = list(getattr(form, "task_problems", ()))
        places = shown_places(draft, problems[:TOLD])
        names = Names(draft, [draft[place] for place in places])
        shown = told(problems[:TOLD], draft, names)
        is_building = desk.view == "build"
        return {
            "desk": desk,
            "is_building": is_building,
            "drawn": DRAWN,
            "draft_text": desk.data.get("tasks", ""),
            "rows": rows_of(draft, names, places, shown) if is_building else [],
            "unlisted": len(draft) - len(places),
            "told": shown,
            "untold": len(problems) - len(shown),
            "faulty": len({problem.place for problem in shown}),
            "graph": graph_of(draft, names, self.plan) if is_building else None,
        }
