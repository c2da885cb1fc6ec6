"""Fill an empty registry with the same data set every time: `python -m tests.bench.world TASKS`.

The database is the one that DATABASE_URL or VAR_DIR names. For 20,000 tasks there are 1,000
datasets of 20 data samples each, 1,000 functions of 3 inputs and 2 outputs, and 200 plans of 100
tasks with 2 or 3 inputs and 2 outputs each, of every status; what is done has its models and
performances, and everything has its events. One plan more has 1,000 tasks, for the graph. Plans
grow with the number of tasks; datasets, data samples and functions with its root, at most tenfold.

Rows are as the application writes them, ranks, counters and digests too (a test compares them).
Only the first ten datasets, their data samples, and functions have the files that they name.
"""

import argparse
import hashlib
import os
import time
from datetime import UTC, datetime, timedelta

SEED = 20_261
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ORGANIZATIONS = ("AlphaMSP", "BetaMSP", "GammaMSP")
# This many plans are written in one transaction.
BATCH = 50


def token_of(organization: str) -> str:
    """Return the secret of the token by which the organisation's user signs in."""
    return hashlib.sha256(organization.encode()).hexdigest()[:40]


def build(tasks: int, seed: int = SEED) -> None:
    """Migrate the database and fill it with at least `tasks` tasks. Django is set up."""
    from django.core.management import call_command

    from assets.accounts.models import Organization

    from .plans import Plans
    from .rows import begin, finish
    from .stock import Sizes, Stock

    call_command("migrate", verbosity=0)
    if Organization.objects.exists():
        raise SystemExit("This registry is not empty; name another database.")
    sizes = Sizes(tasks)
    begin()
    stock = Stock(sizes, seed, BEGIN)
    stock.write()
    plans = Plans(stock)
    for number in range(sizes.plans):
        created = stock.now + timedelta(minutes=20 * number, microseconds=number * 7919 % 1_000_000)
        plans.add(number, sizes.plan, created, seed)
        if number % BATCH == BATCH - 1:
            plans.write()
    # The large plan is the second newest, and runs.
    plans.add(sizes.plans * 10 + 4, sizes.large_plan, created - timedelta(minutes=5), seed)
    plans.write()
    finish()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "tasks", type=int, help="how many tasks; 20000, 200000 and 1000000 are measured"
    )
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    import django

    django.setup()
    begin, cpu = time.perf_counter(), time.process_time()
    build(arguments.tasks, arguments.seed)
    seconds, computing = time.perf_counter() - begin, time.process_time() - cpu
    print(f"{arguments.tasks:,} tasks in {seconds:.1f} s, of which {computing:.1f} s computing")


if __name__ == "__main__":
    main()
