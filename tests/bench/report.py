"""The figures of a run as one table, in Markdown that is also readable on a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

from . import goals, screen

Figures = dict[str, Any]
Row = Sequence[str]


def text(found: Figures) -> str:
    """Return the whole report."""
    parts = [_as_section(*part) for part in sections(found)]
    return "\n\n".join([heading(found["about"]), *parts]) + "\n"


def one_screen(found: Figures) -> str:
    """Return what `tests.bench.quick` measured."""
    return f"{heading(found)}\n\n{table(screen.HEAD, list(screen.rows(found['lines'])))}\n"


def files(found: Figures) -> dict[str, str]:
    """Return the report in pages, by the names of their files."""
    about = heading(found["about"])
    return {
        f"{title.lower().replace(',', '').replace(' ', '-')}.md": (
            _as_section(title, head, rows, "\n\n".join(filter(None, [about, note])), level="#")
            + "\n"
        )
        for title, head, rows, note in sections(found)
    }


def sections(found: Figures) -> Iterator[tuple[str, Row, list[Row], str]]:
    """Yield title, head, rows and explanation of each table that has rows."""
    registries = found["registries"]
    for registry in registries:
        lines = list(screen.rows(registry.get("beside", ())))
        title = f"Beside BASE, {registry['database']}, {registry['tasks']:,} tasks"
        if lines:
            yield title, screen.HEAD, lines, BESIDE_NOTE
    for title, head, rows, note in (
        ("Reading", _READS, _read_rows(registries), READS_NOTE),
        ("First and last page, by size", _FLAT, _flat_rows(registries), FLAT_NOTE),
        ("Registering", _WRITES, _write_rows(registries), WRITES_NOTE),
        ("Pages of the dashboard", _PAGES, _page_rows(registries), PAGES_NOTE),
        ("Uploading", _UPLOAD, _upload_rows(registries), ""),
        ("All tasks through the SDK", _SDK, _sdk_rows(registries), ""),
        ("Soak", _SOAK, _soak_rows(registries), ""),
    ):
        if found_rows := list(rows):
            yield title, head, found_rows, note


def heading(about: Figures) -> str:
    """Return what the machine and the run were."""
    return (
        f"{about['cores']} cores, {about['memory'] / 1024**3:.0f} GiB of memory, Python "
        f"{about['python']}, 2 gunicorn workers; commit {about['commit']}, {about['when']}; "
        f"{about['seconds']:g} s a figure; load of the machine at the start {about['load']:.1f}. "
        "Times in milliseconds unless stated otherwise; ✗ marks a goal that is missed."
    )


def _as_section(title: str, head: Row, rows: Sequence[Row], note: str, level: str = "##") -> str:
    return "\n\n".join(filter(None, [f"{level} {title}", note, table(head, rows)]))


def table(head: Row, lines: Sequence[Row]) -> str:
    """Return rows as a table."""
    widths = [max(len(row[column]) for row in [head, *lines]) for column in range(len(head))]
    # Names to the left, figures to the right.
    left = {0, *(i for i, name in enumerate(head) if name in ("database", "page", "unit"))}

    def line(row: Row) -> str:
        cells = [
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return f"| {' | '.join(cells)} |"

    rules = ["-" * w if column in left else "-" * (w - 1) + ":" for column, w in enumerate(widths)]
    return "\n".join([line(head), f"| {' | '.join(rules)} |", *map(line, lines)])


def _ms(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _judged(value: str, met: bool) -> str:
    return value if met else f"{value} ✗"


def _of(registries: list[Figures], part: str) -> Iterator[tuple[str, str, Figures]]:
    for registry in registries:
        for figures in registry.get(part, ()):
            yield registry["database"], f"{registry['tasks']:,}", figures


BESIDE_NOTE = (
    "BASE is an earlier version on the same machine, measured in turns with this one. *Times* is "
    "now divided by BASE. *CPU* is the same for the computing that one request takes, the "
    "database's included. *Peer* is how many times as fast as the reference server BASE is, and "
    "then this version."
)

# --- Reading -------------------------------------------------------------------------------------

_READS = (
    *("what", "database", "tasks", "p50", "p95", "8 clients/s"),
    *("statements", "computing", "floor", "ratio", "database's", "its floor", "kB"),
)
READS_NOTE = (
    "*p50* and *p95* with one client. *Computing* is the CPU time of the workers for one request; "
    "the *floor* is that of fetching the same rows by raw SQL and dumping them with orjson in one "
    "process. The goal of the *ratio*, (computing - "
    f"{goals.FIXED_MS} ms) / floor, is at most {goals.TIMES_FLOOR}. On PostgreSQL the database "
    "server's own CPU time comes beside, and that of the floor's statements. No list takes over "
    f"{goals.MAX_STATEMENTS} statements."
)


def _read_rows(registries: list[Figures]) -> Iterator[Row]:
    for database, tasks, figures in _of(registries, "reads"):
        ratio = (figures["server_ms"] - goals.FIXED_MS) / figures["floor_ms"]
        statements = figures["statements"]
        backend = figures["database_ms"], figures["floor_database_ms"]
        yield (
            *(figures["name"], database, tasks),
            *(_ms(figures["p50_ms"]), _ms(figures["p95_ms"]), f"{figures['per_second']:,.0f}"),
            _judged(str(statements), statements <= goals.MAX_STATEMENTS),
            *(_ms(figures["server_ms"]), _ms(figures["floor_ms"])),
            _judged(f"{ratio:.1f}", ratio <= goals.TIMES_FLOOR),
            *(_ms(value) if database == "postgresql" else "" for value in backend),
            f"{figures['bytes'] / 1000:.1f}",
        )


# --- By size -------------------------------------------------------------------------------------

_FLAT = ("list", "database", "page", "p50 by number of tasks", "largest / smallest")
FLAT_NOTE = (
    "The first page, and the last full page for a client that follows `next`, reached by following "
    "it in pages of 10,000, and from the last of these on in pages of the size that is measured. "
    f"Goal: at the largest size at most {goals.FLAT} times the smallest."
)


def _flat_rows(registries: list[Figures]) -> Iterator[Row]:
    series: dict[tuple[str, str, str], dict[int, float]] = {}
    for registry in registries:
        for figures in registry.get("reads", ()):
            for page, name in (("first", "p50_ms"), ("last", "last_p50_ms")):
                if figures["kind"] != "one" and name in figures:
                    key = (figures["name"], registry["database"], page)
                    series.setdefault(key, {})[registry["tasks"]] = figures[name]
    for key, values in series.items():
        sizes = sorted(values)
        ratio = values[sizes[-1]] / values[sizes[0]]
        shown = ", ".join(f"{size:,}: {_ms(values[size])}" for size in sizes)
        growth = _judged(f"{ratio:.2f}", ratio <= goals.FLAT) if len(sizes) > 1 else ""
        yield *key, shown, growth


# --- Registering ---------------------------------------------------------------------------------

_WRITES = (
    *("what", "database", "tasks", "p50", "slowest", "goal", "statements"),
    *("computing", "database's", "rows", "ratio"),
)
WRITES_NOTE = (
    "In one request. *Rows* is inserting the same rows by `executemany`; the goal of the *ratio* "
    f"is at most {goals.TIMES_ROWS:g} from 1,000 tasks on."
)


def _write_rows(registries: list[Figures]) -> Iterator[Row]:
    for database, tasks, figures in _of(registries, "writes"):
        name, p50 = figures["name"], figures["p50_ms"]
        goal = goals.REGISTERING.get(name)
        ratio = p50 / figures["rows_ms"]
        judged = name not in ("1,000 tasks", "10,000 tasks") or ratio <= goals.TIMES_ROWS
        yield (
            *(name, database, tasks),
            _judged(_ms(p50), goal is None or p50 <= goal * 1000),
            _ms(figures["worst_ms"]),
            _ms(goal and goal * 1000),
            str(figures["statements"]),
            _ms(figures["server_ms"]),
            _ms(figures["database_ms"]) if database == "postgresql" else "",
            _ms(figures["rows_ms"]),
            _judged(f"{ratio:.1f}", judged),
        )


# --- Pages, uploads, SDK -------------------------------------------------------------------------

_PAGES = ("page", "database", "tasks", "p50", "p95", "computing", "database's", "goal", "kB")
PAGES_NOTE = "As a signed-in user. *p50* is the time of the server."


def _page_rows(registries: list[Figures]) -> Iterator[Row]:
    for database, tasks, figures in _of(registries, "pages"):
        goal = goals.GRAPH_PAGE_MS if figures["name"] in goals.GRAPH_PAGES else goals.PAGE_MS
        yield (
            *(figures["name"], database, tasks),
            _judged(_ms(figures["p50_ms"]), figures["p50_ms"] <= goal),
            *(_ms(figures["p95_ms"]), _ms(figures["server_ms"])),
            _ms(figures["database_ms"]) if database == "postgresql" else "",
            f"{goal:g}",
            f"{figures['bytes'] / 1000:.1f}",
        )


_UPLOAD = ("archive", "database", "s", "memory before, MiB", "growth, MiB", "goal")


def _mib(value: float) -> str:
    return f"{value / 1024**2:.0f}"


def _upload_rows(registries: list[Figures]) -> Iterator[Row]:
    for database, _, figures in _of(registries, "upload"):
        growth = figures["memory_growth"]
        yield (
            *(figures["name"], database, f"{figures['seconds']:.1f}"),
            _mib(figures["memory_before"]),
            _judged(_mib(growth), growth <= goals.UPLOAD_GROWTH),
            _mib(goals.UPLOAD_GROWTH),
        )


_SDK = (
    *("SDK", "database", "tasks", "pages", "s", "of them waiting"),
    *("s for each 20,000", "memory before, MiB", "highest, MiB", "after, MiB"),
)


def _sdk_rows(registries: list[Figures]) -> Iterator[Row]:
    for database, _, figures in _of(registries, "sdk"):
        yield (
            *(figures["name"], database, f"{figures['distinct']:,}", f"{figures['pages']:,}"),
            *(f"{figures['seconds']:.0f}", f"{figures['waiting_seconds']:.0f}"),
            ", ".join(f"{step:.1f}" for step in figures["steps"]),
            _mib(figures["memory_before"]),
            _mib(figures["memory_before"] + figures["memory_growth"]),
            _mib(figures["memory_after"]),
        )


_SOAK = ("who", "database", "requests/s", "by status", "slowest p95", "memory, MiB", "failures")


def _soak_rows(registries: list[Figures]) -> Iterator[Row]:
    for database, _, figures in _of(registries, "soak"):
        name, slowest = max(figures["p95_ms"].items(), key=lambda item: item[1])
        before, after = _mib(figures["memory_before"]), _mib(figures["memory_after"])
        failures = figures["failures"]
        yield (
            *(figures["name"], database, f"{figures['per_second']:.1f}"),
            ", ".join(f"{status}: {count:,}" for status, count in figures["statuses"].items()),
            *(f"{name}: {_ms(slowest)}", f"{before} to {after}"),
            _judged(f"{len(failures)}", not failures),
        )
        for failure in failures[:20]:
            yield (failure[:200], "", "", "", "", "", "")
