"""Views that stage and check a file before its form is sent, and the page that discards them."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.core.files.base import File
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy, ngettext
from django.views import View

from ..accounts.pages.account import AccountPageMixin
from ..accounts.pages.base import ConfirmPage, LoginRequiredMixin
from ..common.audit import note_refusals
from ..common.errors import Code, Problem, Refused
from ..common.ops.outages import OUTAGES, outage_of
from ..permissions.access import check_may_register
from .registration import LIFETIME, discard_all, stage, staged_totals


class UploadView(LoginRequiredMixin, View):
    """Stages one file; the response is its line in the form's list of files.

    Attributes:
        check: returns the problems of a file of this kind.
        advise: returns warnings about a file without problems.
    """

    http_method_names = ["post"]
    check: Callable[[File | None], Iterable[Problem]]
    advise: Callable[[File], list[str]]

    def post(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        file = request.FILES.get("file")
        problems = list(check_may_register(user)) or list(self.check(file))
        upload, advice, status = None, [], 422
        if not problems and file is not None:
            advice = self.advise(file)
            try:
                upload = stage(user, file)
            except Refused as refused:
                problems = refused.problems
            except OUTAGES as error:
                if (outage := outage_of(error)) is None:
                    raise
                problems, status = [Problem(Code.BAD_REQUEST, outage.text)], outage.status
        note_refusals(problems)
        context = {
            "name": request.POST.get("field", "file"),
            "upload": upload,
            "file_name": file.name if file else _("The file"),
            "problems": problems,
            "advice": advice,
        }
        return render(request, "uploads/_file.html", context, status=200 if upload else status)


class WaitingFilesPage(AccountPageMixin, ConfirmPage):
    """Shows how many files of the user are staged, and discards them."""

    title = gettext_lazy("Unsubmitted files")
    button = gettext_lazy("Discard files")

    def explain(self) -> str:
        count, size = staged_totals(self.user)
        hours = LIFETIME // timedelta(hours=1)
        if not count:
            message = _(
                "You have no unsubmitted files. A file that you upload for a form is "
                "stored for %(hours)d hours."
            )
            return message % {"hours": hours}
        message = ngettext(
            "You have uploaded %(count)d file (%(size)s) for a form that you have not submitted. "
            "It is deleted after %(hours)d hours. If you discard it, a form that is still open "
            "asks for it again. Registered assets are not affected.",
            "You have uploaded %(count)d files (%(size)s) for forms that you have not submitted. "
            "They are deleted after %(hours)d hours. If you discard them, forms that are still "
            "open ask for them again. Registered assets are not affected.",
            count,
        )
        return message % {"count": count, "size": filesizeformat(size), "hours": hours}

    def act(self) -> HttpResponse:
        discard_all(self.user)
        return self.redirect_with_message(
            reverse("account"), _("Your unsubmitted files are discarded.")
        )
