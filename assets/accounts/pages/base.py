"""Pages for those who are signed in: how they come in, forms that write, and confirmations."""

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from django.contrib.auth import mixins
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django_htmx.http import HttpResponseClientRedirect

from ...common.pages.base import Page
from ..confirmation import is_password_confirmed

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class LoginRequiredMixin(mixins.LoginRequiredMixin):
    """Sends whoever is not signed in to the page that does it, and back afterwards."""

    @property
    def user(self) -> Any:
        """Who asks: a User, since nobody else comes this far."""
        return self.request.user

    def handle_no_permission(self) -> HttpResponseRedirect:
        htmx = getattr(self.request, "htmx", None)
        if htmx:
            # A part of a page cannot sign in; the page goes, and comes back.
            try:
                back = htmx.current_url_abs_path or "/"
            except ValueError:  # no address at all
                back = "/"
            query = urlencode({"next": back})
            return HttpResponseClientRedirect(f"{reverse('sign-in')}?{query}")
        return super().handle_no_permission()


class ObjectPageMixin(LoginRequiredMixin):
    """Finds what the page is about, and refuses who may not do what it does, before all else."""

    def load_object(self) -> None:
        """Find it, or raise Http404; raise PermissionDenied for those who may not."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            self.load_object()
        return super().dispatch(request, *args, **kwargs)


def redirect_to_confirmation(request: HttpRequest) -> HttpResponse:
    """Send the browser to the page that asks for the password, and back afterwards."""
    query = urlencode({"next": request.path})
    return HttpResponseRedirect(f"{reverse('account-confirm')}?{query}")


class PasswordConfirmedMixin(ObjectPageMixin):
    """Asks for the password again if it was given long ago."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not is_password_confirmed(request):
            self.load_object()
            return redirect_to_confirmation(request)
        return super().dispatch(request, *args, **kwargs)


class WriterPage(ObjectPageMixin, Page):
    """A page with a form that writes. What is wrong is told at its fields and above them."""

    template_name = "accounts/form.html"
    form_class: ClassVar[type[Any]]
    button: ClassVar["StrOrPromise"] = "Save"
    note: ClassVar["StrOrPromise"] = ""
    unsaved: ClassVar["StrOrPromise"] = "Nothing was saved yet."

    def asset(self) -> Any:
        """Return the row that the form changes, if it is one that does."""
        return None

    def initial(self) -> dict[str, Any]:
        return {}

    def make_form(self, data: Any = None) -> Any:
        return self.form_class(data, actor=self.user, asset=self.asset(), initial=self.initial())

    def done(self, form: Any, result: Any) -> HttpResponse:
        """Answer once it is written."""
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
                # Something came in between the check and the writing: nothing was written.
                form.show(error)
        return self.show(form, status=422)


class ConfirmPage(ObjectPageMixin, Page):
    """Asks whether it shall be done, and does it."""

    template_name = "accounts/confirm.html"
    button: ClassVar["StrOrPromise"]

    def explain(self) -> str:
        """Say what will happen."""
        raise NotImplementedError

    def act(self) -> HttpResponse:
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(explanation=self.explain(), **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.act()


def show_once(page: Page, template: str, **context: Any) -> HttpResponse:
    """Answer a secret, which nothing keeps: no session, no cache, no later page."""
    response = page.response_class(
        request=page.request,
        template=[template],
        context=page.get_context_data(**context),
        using=page.template_engine,
    )
    add_never_cache_headers(response)
    return response
