"""API routes of organisations, users, tokens and signing in."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from .api.approvals import AwaitingViewSet
from .api.organizations import InfoView, OrganizationsView
from .api.sign_in import SignInView
from .api.tokens import ActiveTokensView, NewTokenView
from .api.users import UserViewSet

router = SimpleRouter()
router.register("users", UserViewSet, basename="user")

AWAITING = "users-awaiting-approval/"
awaiting = AwaitingViewSet.as_view(
    {"get": "list", "put": "update_named", "delete": "destroy_named"}
)
one_awaiting = AwaitingViewSet.as_view({"put": "update", "delete": "destroy"})

urlpatterns = [
    path("api-token/", NewTokenView.as_view(), name="api-token"),
    path("active-api-tokens/", ActiveTokensView.as_view(), name="active-api-tokens"),
    path("organization/", OrganizationsView.as_view(), name="organization"),
    path("info/", InfoView.as_view(), name="info"),
    path("", include(router.urls)),
    path("api-token-auth/", SignInView.as_view(), name="api-token-auth"),
    path(AWAITING, awaiting, name="users-awaiting-approval-list"),
    path(f"{AWAITING}<str:username>/", one_awaiting, name="users-awaiting-approval-detail"),
]
