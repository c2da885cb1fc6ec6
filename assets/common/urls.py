"""The pages of each kind of row, by the names of their URLs."""

from typing import NamedTuple

from .audit import SubjectKind
from .kinds import AssetKind


class PageNames(NamedTuple):
    """Names of URLs: of the page of one row (blank if there is none), and of the list.

    `model` is the model's name in the URLs of the admin.
    """

    detail: str
    list: str
    model: str


PAGES: dict[str, PageNames] = {
    AssetKind.DATA_MANAGER: PageNames("dataset", "datasets", "dataset"),
    AssetKind.DATA_SAMPLE: PageNames("data-sample", "data-samples", "datasample"),
    AssetKind.FUNCTION: PageNames("function", "functions", "function"),
    AssetKind.COMPUTE_PLAN: PageNames("compute-plan", "compute-plans", "computeplan"),
    AssetKind.COMPUTE_TASK: PageNames("task", "tasks", "task"),
    AssetKind.ORGANIZATION: PageNames("organization", "organizations", "organization"),
    SubjectKind.USER: PageNames("user", "users", "user"),
    # The page of a function lists those of the user's organisation.
    SubjectKind.TRIAL: PageNames("trial", "functions", ""),
    # The account page lists a user's tokens.
    SubjectKind.TOKEN: PageNames("", "account", "apitoken"),
    SubjectKind.RUNNER: PageNames("runner", "runners", "runner"),
}
