"""Base classes of widgets with templates of this project."""

from typing import Any

from django import forms
from django.template.loader import render_to_string


class DrawnWidget(forms.Widget):
    """A widget with a template of this project, where Django's form renderer does not look."""

    template_name: str

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        return render_to_string(self.template_name, self.get_context(name, value, attrs))


class BoxesWidget(DrawnWidget):
    """Several boxes or buttons that together hold one value."""

    use_fieldset = True

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        # Browsers do not send boxes that are not ticked.
        return False

    def id_for_label(self, id_: str) -> str:
        return ""
