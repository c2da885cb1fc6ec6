"""Where everything is: the pages, the API, the admin, and the documentation."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.decorators.cache import cache_control
from django.views.generic import RedirectView
from django.views.i18n import JavaScriptCatalog
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from assets.accounts.pages.sign_in import SignInPage, SignOutView

# What the admin shows registers itself.
admin.autodiscover()

handler400 = "assets.common.api.errors.bad_request"
# Static files have their URLs only once the settings are loaded, after this module.
static_lazy = lazy(static, str)

handler404 = "assets.common.api.errors.page_not_found"
handler500 = "assets.common.api.errors.server_error"

# Django searches in this order, so the most frequent addresses come first.
urlpatterns = [
    path("api/", include("assets.api", namespace="api")),
    path("admin/", admin.site.urls),
    path("favicon.ico", RedirectView.as_view(url=static_lazy("registrar/favicon.svg"))),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    # Pages ask for it under the version and the language, so browsers may keep it.
    path(
        "texts/",
        cache_control(private=True, max_age=7 * 24 * 3600)(
            JavaScriptCatalog.as_view(packages=["assets"])
        ),
        name="script-texts",
    ),
    # The browsable API expects its own sign-in pages by these names.
    path(
        "api/session/",
        include(
            (
                [
                    path("login/", SignInPage.as_view(), name="login"),
                    path("logout/", SignOutView.as_view(), name="logout"),
                ],
                "rest_framework",
            )
        ),
    ),
    # The same views for older SDKs, with the status names that these know.
    path("api/sdk-0.49/", include("assets.api", namespace="api-0.49")),
    path("api/sdk-0.50/", include("assets.api", namespace="api-0.50")),
    path("", include("assets.pages")),
]
