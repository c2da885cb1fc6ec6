"""Routes of the organizations room."""

urlpatterns: list = []
