"""Saving a form: whatever stops it, before or while it is written, is shown on the form."""

import logging
from typing import Any

from django.core.exceptions import ValidationError

from ..audit import note_refusals
from ..errors import Refused
from ..ops.outages import OUTAGES, outage_of

logger = logging.getLogger(__name__)


class NotSaved(Exception):
    """The form is not saved and shows why; `status` is the HTTP status of an outage, or None."""

    def __init__(self, status: int | None = None) -> None:
        super().__init__(status)
        self.status = status


def save_or_explain(form: Any) -> Any:
    """Return what the form's `save` returns.

    Files that arrive with a form that is not saved are staged for the next attempt.

    Raises:
        NotSaved: the form has errors.
    """
    status = None
    try:
        if form.is_valid():
            result = form.save()
            if hasattr(form, "discard_uploads"):
                form.discard_uploads()
            return result
    except Refused as refused:
        # Something changed between the check and the writing: nothing was written.
        note_refusals(refused.problems)
        for problem in refused.problems:
            form.add_error(None, problem.sentence)
    except ValidationError as error:
        form.show(error)
    except OUTAGES as error:
        if (outage := outage_of(error)) is None:
            raise
        logger.warning("A form was not saved: %s", error)
        form.add_error(None, outage.text)
        status = outage.status
    finally:
        if hasattr(form, "close_uploads"):
            form.close_uploads()
    note_refusals(getattr(form, "problems", ()))
    if hasattr(form, "stage_uploads"):
        form.stage_uploads()
    raise NotSaved(status)
