"""Base classes of pages for signed-in users: forms that write, confirmations, secrets."""

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from django.contrib.auth import mixins
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect

from ...common.pages.base import Page
from ..confirmation import is_password_confirmed

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class LoginRequiredMixin(mixins.LoginRequiredMixin):
    """Redirects visitors who are not signed in to the sign-in page, and back afterwards."""

    @property
    def user(self) -> Any:
        """The signed-in User."""
        return self.request.user

    def handle_no_permission(self) -> HttpResponseRedirect:
        htmx = getattr(self.request, "htmx", None)
        if htmx:
            # The answer replaces a part of a page: the whole page has to sign in and come back.
            try:
                back = htmx.current_url_abs_path or "/"
            except ValueError:  # not a URL
                back = "/"
            query = urlencode({"next": back})
            return HttpResponseClientRedirect(f"{reverse('sign-in')}?{query}")
        return super().handle_no_permission()


class ObjectPageMixin(LoginRequiredMixin):
    """Loads the page's object, and checks the user's rights, before anything else."""

    def load_object(self) -> None:
        """Load what the page is about; raise Http404 or PermissionDenied if the user may not."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            self.load_object()
        return super().dispatch(request, *args, **kwargs)


class PasswordConfirmedMixin(ObjectPageMixin):
    """Asks for the password again if the user gave it a while ago."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not is_password_confirmed(request):
            self.load_object()
            return redirect_to_confirmation(request)
        return super().dispatch(request, *args, **kwargs)


def redirect_to_confirmation(request: HttpRequest) -> HttpResponse:
    """Return the redirect to the page that asks for the password and then leads back."""
    query = urlencode({"next": request.path})
    return HttpResponseRedirect(f"{reverse('account-confirm')}?{query}")


class WriterPage(ObjectPageMixin, Page):
    """A page with a form that writes; errors are shown at the fields and summed up above them."""

    template_name = "accounts/form.html"
    form_class: ClassVar[type[Any]]
    button: "ClassVar[StrOrPromise]" = _("Save")
    note: "StrOrPromise" = ""
    # The sentence above the errors.
    unsaved: "ClassVar[StrOrPromise]" = _("Nothing was saved.")

    def asset(self) -> Any:
        """Return the row that the form changes, or None."""
        return None

    def initial(self) -> dict[str, Any]:
        return {}

    def make_form(self, data: Any = None) -> Any:
        return self.form_class(data, actor=self.user, asset=self.asset(), initial=self.initial())

    def done(self, form: Any, result: Any) -> HttpResponse:
        """Return the response after the form is saved."""
        raise NotImplementedError

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show(self.make_form())

    def show(self, form: Any, status: int = 200) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=status)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.make_form(request.POST)
        if form.is_valid():
            try:
                return self.done(form, form.save())
            except ValidationError as error:
                # Something changed between the check and the writing: nothing was written.
                form.show(error)
        return self.show(form, status=422)


class ConfirmPage(ObjectPageMixin, Page):
    """Asks for confirmation, then acts; texts may refer to the object as `%(name)s`."""

    template_name = "accounts/confirm.html"
    button: "ClassVar[StrOrPromise]"
    explanation: "ClassVar[StrOrPromise]"

    def explain(self) -> str:
        """Return what will happen."""
        return str(self.explanation) % {"name": self.object}

    def act(self) -> HttpResponse:
        """Do it; return the response."""
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(explanation=self.explain(), **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.act()


def show_once(page: Page, template: str, **context: Any) -> HttpResponse:
    """Return a page with a secret, which neither a session nor a cache stores."""
    response = page.response_class(
        request=page.request,
        template=[template],
        context=page.get_context_data(**context),
        using=page.template_engine,
    )
    add_never_cache_headers(response)
    return response
