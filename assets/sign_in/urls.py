"""Routes of signing in and of who awaits approval."""

from django.urls import path

from .api import AwaitingViewSet, SignInView

AWAITING = "users-awaiting-approval/"
awaiting = AwaitingViewSet.as_view(
    {"get": "list", "put": "update_named", "delete": "destroy_named"}
)
one_awaiting = AwaitingViewSet.as_view({"put": "update", "delete": "destroy"})

urlpatterns = [
    path("api-token-auth/", SignInView.as_view(), name="api-token-auth"),
    path(AWAITING, awaiting, name="users-awaiting-approval-list"),
    path(f"{AWAITING}<str:username>/", one_awaiting, name="users-awaiting-approval-detail"),
]
