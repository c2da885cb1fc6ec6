"""What several properties share: awkward texts, and examples that leave nothing behind."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from hypothesis import settings, strategies as st

# What SQL, JSON, JSON paths, LIKE patterns and spreadsheets might take for something else.
AWKWARD = (
    *("0", "12", "-1", "1.5", "1e3", "null", "true", "NaN", "a", "A", "ab", "a b", " a  b ", "é"),
    *('"', '"q"', "'", "it's", "\\", "\\n", "100%", "a_b", "%", "_", "$.a", "[0]", "{}", "[]"),
    *("?", "%s", "{0}", "=1+1", "-- x", "日本", "😀", "e\u0301", "\u202eabc", "\ufeff", "\u00a0"),
)

# A text that the rules accept wherever a text is asked for, unless it is blank or too long.
printable = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=30)
legal_texts = st.one_of(st.sampled_from(AWKWARD), printable).filter(
    lambda text: len(text.encode()) <= 100
)
legal_names = legal_texts.filter(str.strip)
legal_keys = legal_texts.filter(lambda text: text and "__" not in text)
legal_metadata = st.dictionaries(legal_keys, legal_texts, max_size=4)


@contextmanager
def rolled_back() -> Iterator[None]:
    """Undo in the database what the block does, so that examples do not see each other."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def examples(count: int) -> settings:
    """Try fewer examples than the profile says: each costs requests and statements."""
    profile = settings.default
    assert profile is not None
    # The thorough profile stays thorough, in proportion.
    return settings(max_examples=max(1, count * profile.max_examples // 50))
