"""Routes of organisations, tokens and users."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from .api import ActiveTokensView, InfoView, NewTokenView, OrganizationsView
from .users import UserViewSet

router = SimpleRouter()
router.register("users", UserViewSet, basename="user")

urlpatterns = [
    path("api-token/", NewTokenView.as_view(), name="api-token"),
    path("active-api-tokens/", ActiveTokensView.as_view(), name="active-api-tokens"),
    path("organization/", OrganizationsView.as_view(), name="organization"),
    path("info/", InfoView.as_view(), name="info"),
    path("", include(router.urls)),
]
