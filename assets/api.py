"""The routes of the API; the views live in the rooms."""

from django.urls import include, path
from rest_framework.routers import APIRootView, DefaultRouter

from .accounts.urls import urlpatterns as account_urls
from .common.ops.health import live, ready
from .compute.api.metadata import PlanMetadataView
from .compute.api.outputs import LogsView, ModelViewSet
from .compute.api.performances import PerformanceViewSet
from .compute.api.plans import ComputePlanViewSet
from .compute.api.tasks import TaskViewSet
from .datasets.api import DataSampleViewSet, DatasetViewSet
from .feed.api import NewsFeedViewSet
from .functions.api import FunctionViewSet


class Root(APIRootView):
    """The addresses of the API, where assets are listed and registered.

    Programs sign in by a token, which you make under Account. /api/docs/ describes every address:
    what it takes, what it answers and how it refuses.
    """

    name = "API"


router = DefaultRouter()
router.APIRootView = Root
# What is answered is for the Accept header to say; addresses by the dozen less to look through.
router.include_format_suffixes = False
router.register("data_manager", DatasetViewSet, basename="data_manager")
router.register("data_sample", DataSampleViewSet, basename="data_sample")
router.register("function", FunctionViewSet, basename="function")
router.register("compute_plan", ComputePlanViewSet, basename="compute_plan")
router.register("task", TaskViewSet, basename="task")
router.register("model", ModelViewSet, basename="model")
router.register("performance", PerformanceViewSet, basename="performance")
router.register("news_feed", NewsFeedViewSet, basename="news_feed")

app_name = "assets"
urlpatterns = [
    *account_urls,
    path("logs/<key>/file/", LogsView.as_view(), name="logs-file"),
    path("compute_plan_metadata/", PlanMetadataView.as_view(), name="compute_plan_metadata"),
    path("liveness", live, name="liveness"),
    path("readiness", ready, name="readiness"),
    path("", include(router.urls)),
]
