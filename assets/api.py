"""The routes of the API; the views live in the rooms."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import APIRootView, DefaultRouter, SimpleRouter
from rest_framework.viewsets import ViewSetMixin

from .accounts.urls import urlpatterns as account_urls
from .common.ops.health import live, ready
from .compute.api.metadata import PlanMetadataView
from .compute.api.outputs import LogsView, ModelViewSet
from .compute.api.performances import PerformanceViewSet
from .compute.api.plans import ComputePlanViewSet
from .compute.api.profiling import TaskProfilingViewSet
from .compute.api.tasks import TaskViewSet
from .datasets.api import DataSampleViewSet, DatasetViewSet
from .execution.api.trials import TrialViewSet
from .feed.api import NewsFeedViewSet
from .functions.api import FunctionViewSet


class Root(APIRootView):
    """The addresses of the API, where assets are listed and registered.

    Programs sign in by a token, which you make under Account. /api/docs/ describes every address:
    what it takes, what it answers and how it refuses.
    """

    name = "API"


class Router(DefaultRouter):
    """Groups the addresses of a kind: finding one compares its kind, and then those of the kind."""

    APIRootView = Root

    def get_urls(self) -> list[URLPattern | URLResolver]:
        groups = [path(f"{kind}/", include(_urls_of(*rest))) for kind, *rest in self.registry]
        return [*groups, path("", self.get_api_root_view(), name=self.root_view_name)]


def _urls_of(viewset: type[ViewSetMixin], name: str) -> list[URLPattern]:
    router = SimpleRouter()
    router.register("", viewset, basename=name)
    return router.urls


router = Router()
router.register("data_manager", DatasetViewSet, basename="data_manager")
router.register("data_sample", DataSampleViewSet, basename="data_sample")
router.register("function", FunctionViewSet, basename="function")
router.register("compute_plan", ComputePlanViewSet, basename="compute_plan")
router.register("task", TaskViewSet, basename="task")
router.register("model", ModelViewSet, basename="model")
router.register("performance", PerformanceViewSet, basename="performance")
router.register("task_profiling", TaskProfilingViewSet, basename="task_profiling")
router.register("trial", TrialViewSet, basename="trial")
router.register("news_feed", NewsFeedViewSet, basename="news_feed")

app_name = "assets"
urlpatterns = [
    # Django searches in this order, so the most frequent addresses come first.
    *router.urls,
    *account_urls,
    path("logs/<key>/file/", LogsView.as_view(), name="logs-file"),
    path("compute_plan_metadata/", PlanMetadataView.as_view(), name="compute_plan_metadata"),
    path("runner/", include("assets.execution.urls")),
    path("liveness", live, name="liveness"),
    path("readiness", ready, name="readiness"),
]
