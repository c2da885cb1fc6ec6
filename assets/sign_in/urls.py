"""Routes of signing in and of who awaits approval."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from .api import AwaitingViewSet, SignInView

router = SimpleRouter()
router.register("users-awaiting-approval", AwaitingViewSet, basename="users-awaiting-approval")

urlpatterns = [
    path("api-token-auth/", SignInView.as_view(), name="api-token-auth"),
    path("", include(router.urls)),
]
