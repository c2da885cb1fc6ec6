"""API routes of runners."""

from django.urls import include, path

from .api.claims import ClaimView, RenewView
from .api.jobs import FailView, FinishView, GiveBackView, JobFunctionView, StepsView
from .api.models import JobModelView

of_a_job = [
    path("function/", JobFunctionView.as_view(), name="runner-job-function"),
    path("model/<str:model>/", JobModelView.as_view(), name="runner-job-model"),
    path("steps/", StepsView.as_view(), name="runner-job-steps"),
    path("finish/", FinishView.as_view(), name="runner-job-finish"),
    path("fail/", FailView.as_view(), name="runner-job-fail"),
    path("give_back/", GiveBackView.as_view(), name="runner-job-give-back"),
]

urlpatterns = [
    path("claim/", ClaimView.as_view(), name="runner-claim"),
    path("renew/", RenewView.as_view(), name="runner-renew"),
    path("job/<str:key>/", include(of_a_job)),
]
