"""Results of runs: read, shown, compared."""

import argparse
import json
from collections import Counter, defaultdict
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from .mutants import Mutant

KILLED = ("killed", "timeout")
Row = dict[str, Any]


def load(path: Path) -> list[Row]:
    """Return one row for each mutant: the last that was written of it."""
    rows = map(json.loads, path.read_text().splitlines())
    return list({row["id"]: row for row in rows}.values())


# How like two statements are of which one was renamed, from 0 to 1.
ALIKE = 0.8


def _matches(old: list[Row], new: list[Row]) -> dict[str, Row]:
    """Return for ids of the old mutants which new one is the same.

    The same id; else, where a function was renamed, as many of the same operator and statement;
    else as many of its operator in a function of the same name; else the one that reads most like
    it.
    """
    keys = (
        lambda row: row["id"],
        lambda row: (row["operator"], row["id"].split(":")[-2], row["statement"]),
        lambda row: (row["operator"], _name(row)),
    )
    found: dict[str, Row] = {}
    taken: set[str] = set()

    def pair(row: Row, same: Row) -> None:
        found[row["id"]] = same
        taken.add(same["id"])

    for key in keys:
        olds, news = defaultdict(list), defaultdict(list)
        for row in old:
            if row["id"] not in found:
                olds[key(row)].append(row)
        for row in new:
            if row["id"] not in taken:
                news[key(row)].append(row)
        for name, rows in olds.items():
            if len(rows) == len(news[name]):
                for row, same in zip(rows, news[name], strict=True):
                    pair(row, same)
    for row in old:
        if row["id"] not in found:
            others = [other for other in new if other["operator"] == row["operator"]]
            if same := _most_like(row, [other for other in others if other["id"] not in taken]):
                pair(row, same)
    return found


def _name(row: Row) -> str:
    return row["function"].split(".")[-1].lstrip("_")


def _most_like(row: Row, others: list[Row]) -> Row | None:
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(f"{_name(row)} {row['statement'][:200]}")
    best, most = None, ALIKE
    for other in others:
        matcher.set_seq1(f"{_name(other)} {other['statement'][:200]}")
        if matcher.real_quick_ratio() > most and matcher.quick_ratio() > most:
            ratio = matcher.ratio()
            if ratio > most:
                best, most = other, ratio
    return best


def like(mutants: list[Mutant], old: list[Row]) -> dict[Mutant, list[str]]:
    """Return the mutants that earlier results killed, each with the tests to try first."""
    by_id = {mutant.id: mutant for mutant in mutants}
    rows = [mutant.as_dict() for mutant in mutants]
    killed = {row["id"]: row for row in old if row["state"] in KILLED}
    matches = _matches(list(killed.values()), rows)
    return {
        by_id[row["id"]]: [killed[id]["killer"], *killed[id].get("candidates", [])]
        for id, row in matches.items()
    }


def _line(row: Row) -> str:
    where = f"{row['path']}:{row['line']} {row['function']}"
    return f"  {row['id']}\n      {where}\n      {row['statement'][:150]}"


def show(rows: list[Row]) -> None:
    """Print figures for each operator, and the mutants that no test killed."""
    states: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        states[row["operator"]][row["state"]] += 1
    for operator, counts in sorted(states.items()):
        print(f"{operator:20}", ", ".join(f"{count} {state}" for state, count in counts.items()))
    for state in ("survived", "unreached"):
        print(f"\n{state}:")
        for row in sorted(rows, key=lambda row: (row["path"], row["line"])):
            if row["state"] == state:
                print(_line(row))
    total = Counter(row["state"] for row in rows)
    print(f"\n{len(rows)} mutants:", ", ".join(f"{n} {state}" for state, n in total.items()))


def show_command(options: argparse.Namespace) -> None:
    show(load(options.results))


def compare_command(options: argparse.Namespace) -> int:
    """Print what the old suite killed and the new one does not; the status says if there is any."""
    old, new = load(options.old), load(options.new)
    matches = _matches(old, new)
    lost, gone = [], []
    for row in old:
        if row["state"] in KILLED:
            same = matches.get(row["id"])
            if same is None:
                gone.append(row)
            elif same["state"] not in KILLED:
                lost.append((row, same))
    both = sum(row["state"] in KILLED and row["id"] in matches for row in old)
    print("killed before, and their code is gone or rewritten:")
    print("\n".join(map(_line, gone)))
    print("\nkilled before and not now:")
    for row, same in lost:
        print(f"{_line(same)}\n      killed before by {row['killer']}")
    print(
        f"\n{len(old)} and {len(new)} mutants; {sum(row['state'] in KILLED for row in old)} and "
        f"{sum(row['state'] in KILLED for row in new)} killed; {both} killed before are in both, "
        f"{len(lost)} of them not killed now; {len(gone)} have no counterpart"
    )
    return int(bool(lost))
