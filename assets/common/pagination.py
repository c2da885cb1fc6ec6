"""Pages of a list: `{count, next, previous, results}`. Contract 1.6."""

from rest_framework.pagination import PageNumberPagination
from rest_framework.utils.urls import remove_query_param, replace_query_param


class PagePagination(PageNumberPagination):
    """`page` from 1, `page_size` up to 10,000; a view may set another `page_size`."""

    page_size_query_param = "page_size"
    max_page_size = 10_000

    def paginate_queryset(self, queryset, request, view=None):
        self.page_size = getattr(view, "page_size", None) or self.page_size
        return super().paginate_queryset(queryset, request, view)

    def _url_of(self, page: int) -> str:
        # The SDK sends its parameters again on top of `next`, so each occurs twice; copied as
        # they are, the URL would grow with every page.
        url = self.request.build_absolute_uri(self.request.path)
        for name in self.request.query_params:
            url = replace_query_param(url, name, self.request.query_params[name])
        if page == 1:
            return remove_query_param(url, self.page_query_param)
        return replace_query_param(url, self.page_query_param, page)

    def get_next_link(self) -> str | None:
        return self._url_of(self.page.next_page_number()) if self.page.has_next() else None

    def get_previous_link(self) -> str | None:
        if not self.page.has_previous():
            return None
        return self._url_of(self.page.previous_page_number())
