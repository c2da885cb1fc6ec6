"""What makes an organisation's id legal. Source: contract 2.1."""

from django.core.validators import RegexValidator

MAX_ID_LENGTH = 64

# The id is also the name of the organisation's folder below SERVERMEDIAS_ROOT.
validate_organization_id = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9_.-]*\Z",
    "Use letters, digits, '-', '_' and '.', beginning with a letter or a digit.",
)
