"""Takes files ahead of their form, checks them at once, and says how they were found."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.core.files.base import File
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat, pluralize
from django.urls import reverse
from django.views import View

from ..accounts.pages.base import ConfirmPage, LoginRequiredMixin
from ..common.audit import note_refusals
from ..common.errors import Code, Problem, Refused
from ..common.ops.outages import OUTAGES, outage_of
from ..common.pages.base import Crumb, crumb
from ..permissions.access import check_may_register
from .registration import LIFETIME, discard_all, keep, waiting_of


class UploadView(LoginRequiredMixin, View):
    """A kind of file says what is wrong with one; the answer is a line of the form's list."""

    http_method_names = ["post"]

    def problems(self, file: File) -> Iterable[Problem]:
        """Return all that stands against the file."""
        raise NotImplementedError

    def advice(self, file: File) -> list[str]:
        """Return what its user had better know before it is registered."""
        return []

    def post(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        file = request.FILES.get("file")
        problems = list(check_may_register(user)) or list(self.problems(file))
        upload, advice, status = None, [], 422
        if not problems and file is not None:
            advice = self.advice(file)
            try:
                upload = keep(user, file)
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
            "file_name": file.name if file else "The file",
            "problems": problems,
            "advice": advice,
        }
        return render(request, "uploads/_file.html", context, status=200 if upload else status)


class WaitingFilesPage(ConfirmPage):
    """Says how many files of the user wait for a form, and discards them."""

    title = "Files that wait for a form"
    button = "Discard them"

    def crumbs(self) -> Sequence[Crumb]:
        return [crumb("Account", "account")]

    def explain(self) -> str:
        count, size = waiting_of(self.user)
        hours = LIFETIME // timedelta(hours=1)
        if not count:
            return f"None of your files wait. What you send for a form waits for {hours} hours."
        return (
            f"You have sent {count} file{pluralize(count)} ({filesizeformat(size)}) for forms that "
            f"are not registered yet. Each waits for {hours} hours. If you discard them, forms "
            "that are still open in a browser ask for them again. What is registered stays."
        )

    def act(self) -> HttpResponse:
        discard_all(self.user)
        return self.redirect_with_message(
            reverse("account"), "The files that waited for a form are discarded."
        )
