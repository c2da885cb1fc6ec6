"""A graph of tasks as SVG: layers from left to right, nodes as boxes, edges as curves between them.

It knows plain values only, so that a registered plan and a draft are drawn alike. The order inside
a layer follows each node's neighbours, which keeps crossings few; where an edge passes a layer, a
lane is kept free for it. The same graph is always drawn the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape as escape_anew
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe

from ..common.text.reading import cut

WIDTH, HEIGHT = 176, 44
GAP_X, GAP_Y = 60, 14
LANE = 10
MARGIN, HEADING = 12, 28
SWEEPS = 4
# How much of its neighbours' height an item follows; the rest draws it to the middle line, so that
# long graphs stay level.
FOLLOWS = 0.9
# Worker colours of the stylesheet; more workers than these share them.
COLOURS = 8
# More lanes than these would take longer to lay out than a page may; edges then go straight.
MAX_LANES = 6000
# Nobody finds anything in a graph with more edges than these, and it takes long to draw.
EDGES = 6000
# How many characters fit into a box.
LABEL_FITS, SUB_FITS = 21, 20

# What stands in a box beside its colour, so that nobody needs to tell colours apart.
MARKS = {"done": "✓", "failed": "✕", "cancelled": "⊘", "executing": "▶", "building": "▶"}


# Most texts of a graph stand in many of its boxes.
escape = lru_cache(4096)(escape_anew)


@lru_cache(4096)
def _fitting(text: str, length: int) -> str:
    return escape_anew(cut(text, length))


class Node(NamedTuple):
    """A box: two lines of text, a colour by `status` and a stripe by `group`.

    Without a rank for each, nodes are layered by their edges.
    """

    key: str
    label: str
    sub: str = ""
    # A word such as "done" or "waiting-for-parents"; the stylesheet colours `is-<status>`.
    status: str = ""
    # What the stripe tells apart: the worker.
    group: str = ""
    url: str = ""
    # What a pointer that rests on the box is told.
    title: str = ""
    rank: int | None = None


class Edge(NamedTuple):
    """An arrow between two nodes, by their keys."""

    source: str
    target: str
    label: str = ""


class Place(NamedTuple):
    """The left upper corner of a box."""

    x: int
    y: int


@dataclass(frozen=True)
class Drawing:
    """A drawn graph: the inside of an `<svg>` of this size, and where its boxes are."""

    width: int
    height: int
    svg: SafeString
    places: Mapping[str, Place]
    # (group, its colour's number) of each stripe, in the order of the legend.
    groups: Sequence[tuple[str, int]]
    edge_count: int


class _Item:
    """What takes room in a layer: a node, or the lane of edges that pass."""

    __slots__ = ("after", "before", "height", "layer", "y")

    def __init__(self, layer: int, height: int) -> None:
        self.layer, self.height, self.y = layer, height, 0.0
        self.before: list[_Item] = []
        self.after: list[_Item] = []


def draw(nodes: Sequence[Node], edges: Iterable[Edge]) -> Drawing:
    """Lay the graph out and draw it; edges of unknown nodes are left out."""
    if not nodes:
        return Drawing(0, 0, mark_safe(""), {}, (), 0)
    labels: dict[tuple[str, str], list[str]] = defaultdict(list)
    known = {node.key for node in nodes}
    for edge in edges:
        if edge.source in known and edge.target in known and edge.source != edge.target:
            labels[edge.source, edge.target].append(edge.label)
    ranks = _ranks(nodes, labels)
    levels = sorted(set(ranks.values()))
    layer_of = {rank: number for number, rank in enumerate(levels)}
    items = {node.key: _Item(layer_of[ranks[node.key]], HEIGHT) for node in nodes}
    layers: list[list[_Item]] = [[] for _ in levels]
    groups = {name: number for number, name in enumerate(sorted({n.group for n in nodes} - {""}))}
    for node in sorted(nodes, key=lambda node: groups.get(node.group, -1)):
        layers[items[node.key].layer].append(items[node.key])
    routes = _route(labels, items, layers)
    _order(layers)
    height = _set_heights(layers)
    places = {
        key: Place(MARGIN + item.layer * (WIDTH + GAP_X), round(item.y))
        for key, item in items.items()
    }
    numbers = {node.key: number for number, node in enumerate(nodes)}
    colours = {name: number % COLOURS for name, number in groups.items()}
    parts = ['<g class="graph-headings" aria-hidden="true">']
    parts += [_heading(number, rank) for number, rank in enumerate(levels)]
    parts.append('</g><g class="graph-edges" fill="none" marker-end="url(#graph-arrow)">')
    parts += [_edge(pair, routes[pair], items, numbers, texts) for pair, texts in labels.items()]
    parts.append("</g>")
    parts += [_box(node, places[node.key], numbers[node.key], colours) for node in nodes]
    return Drawing(
        width=2 * MARGIN + len(levels) * (WIDTH + GAP_X) - GAP_X,
        height=height,
        svg=mark_safe("".join(parts)),  # noqa: S308  every text in it was escaped
        places=places,
        groups=list(colours.items()),
        edge_count=len(labels),
    )


def _ranks(nodes: Sequence[Node], edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return each node's rank: as it says, or one more than its highest parent's.

    A draft may hold a cycle; what is in or below one comes after all that is not.
    """
    given = {node.key: node.rank for node in nodes if node.rank is not None}
    if len(given) == len(nodes):
        return given
    children: dict[str, list[str]] = defaultdict(list)
    missing = dict.fromkeys((node.key for node in nodes), 0)
    for source, target in edges:
        children[source].append(target)
        missing[target] += 1
    ranks = dict.fromkeys(missing, 0)
    ready = [key for key, count in missing.items() if count == 0]
    for key in ready:  # grows while it is walked
        for child in children[key]:
            ranks[child] = max(ranks[child], ranks[key] + 1)
            missing[child] -= 1
            if missing[child] == 0:
                ready.append(child)
    last = max((ranks[key] + 1 for key in ready), default=0)
    return {key: ranks[key] if missing[key] == 0 else last for key in ranks}


def _route(
    edges: Iterable[tuple[str, str]], items: Mapping[str, _Item], layers: list[list[_Item]]
) -> dict[tuple[str, str], list[_Item]]:
    """Return the lanes that each edge passes; edges from one node share theirs."""
    pairs = list(edges)
    farthest: dict[str, int] = {}
    for source, target in pairs:
        farthest[source] = max(farthest.get(source, 0), items[target].layer)
    wanted = sum(max(0, layer - items[key].layer - 1) for key, layer in farthest.items())
    lanes: dict[str, list[_Item]] = {}
    routes: dict[tuple[str, str], list[_Item]] = {}
    for source, target in pairs:
        start, end = items[source], items[target]
        if source not in lanes:
            passed = range(start.layer + 1, farthest[source] if wanted <= MAX_LANES else 0)
            lanes[source] = [_Item(layer, LANE) for layer in passed]
            chain = [start, *lanes[source]]
            for left, right in zip(chain, chain[1:], strict=False):
                layers[right.layer].append(right)
                _join(left, right)
        route = lanes[source][: max(0, end.layer - start.layer - 1)]
        routes[source, target] = route
        if end.layer > start.layer:
            _join(route[-1] if route else start, end)
    return routes


def _join(left: _Item, right: _Item) -> None:
    left.after.append(right)
    right.before.append(left)


def _order(layers: list[list[_Item]]) -> None:
    """Sort each layer by where its neighbours are, sweeping over the layers to and fro."""
    for layer in layers:
        for number, item in enumerate(layer):
            item.y = number
    for sweep in range(SWEEPS):
        forwards = sweep % 2 == 0
        for layer in layers if forwards else reversed(layers):
            wanted = {}
            for item in layer:
                near = item.before if forwards else item.after
                wanted[item] = sum(other.y for other in near) / len(near) if near else item.y
            layer.sort(key=wanted.__getitem__)
            # Places are shares of the layer, so that layers of different length compare.
            for number, item in enumerate(layer):
                item.y = (number + 0.5) / len(layer)


def _set_heights(layers: list[list[_Item]]) -> int:
    """Give every item its `y`, near its neighbours and clear of the items of its layer."""
    for layer in layers:
        _stack(layer, [-item.height / 2 for item in layer])
    for sweep in range(SWEEPS):
        forwards = sweep % 2 == 0
        for layer in layers if forwards else reversed(layers):
            wanted = []
            for item in layer:
                near = (item.before if forwards else item.after) or [item]
                middle = sum(other.y + other.height / 2 for other in near) / len(near)
                wanted.append(FOLLOWS * middle - item.height / 2)
            _stack(layer, wanted)
    top = min(item.y for layer in layers for item in layer)
    for layer in layers:
        for item in layer:
            item.y += HEADING + MARGIN - top
    return round(max(item.y + item.height for layer in layers for item in layer)) + MARGIN


def _stack(layer: list[_Item], wanted: Sequence[float]) -> None:
    """Put the items of a layer as near as can be to where they want to be, in their order.

    Items that would overlap form a block, which stands where its items want to be on average.
    """
    offsets, offset = [], 0.0
    for item in layer:
        offsets.append(offset)
        offset += item.height + GAP_Y
    blocks: list[tuple[float, int]] = []  # (sum of what its items want, their number)
    for place, offset in zip(wanted, offsets, strict=True):
        total, count = place - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    starts = [total / count for total, count in blocks for _ in range(count)]
    for item, start, offset in zip(layer, starts, offsets, strict=True):
        item.y = start + offset


# --- Writing it down ------------------------------------------------------------------------------


def _heading(number: int, rank: int) -> str:
    x = MARGIN + number * (WIDTH + GAP_X)
    return f'<text class="graph-rank" x="{x}" y="{MARGIN + 9}">Rank {rank}</text>'


def _edge(
    pair: tuple[str, str],
    route: Sequence[_Item],
    items: Mapping[str, _Item],
    numbers: Mapping[str, int],
    labels: Iterable[str],
) -> str:
    source, target = items[pair[0]], items[pair[1]]
    x, y = MARGIN + source.layer * (WIDTH + GAP_X) + WIDTH, round(source.y + HEIGHT / 2)
    path = [f"M{x} {y}"]
    for item in [*route, target]:
        left = MARGIN + item.layer * (WIDTH + GAP_X)
        middle = round(item.y + item.height / 2)
        end = left - (0 if item is not target else 2)
        bend = max(GAP_X, abs(end - x)) // 2
        path.append(f"C{x + bend} {y} {end - bend} {middle} {end} {middle}")
        x, y = left + WIDTH, middle
        if item is not target:
            path.append(f"H{x}")
    text = escape(", ".join(filter(None, labels)))
    return (
        f'<path data-from="{numbers[pair[0]]}" data-to="{numbers[pair[1]]}" d="{"".join(path)}">'
        f"{f'<title>{text}</title>' if text else ''}</path>"
    )


def _box(node: Node, place: Place, number: int, colours: Mapping[str, int]) -> str:
    x, y = place
    status = escape(node.status) or "none"
    stripe = ""
    if node.group:
        stripe = (
            f'<rect class="graph-stripe worker-{colours[node.group]}" x="{x}" y="{y}" '
            f'width="5" height="{HEIGHT}" rx="2"/>'
        )
    mark = MARKS.get(node.status, "")
    if mark:
        mark = f'<text class="graph-mark" x="{x + WIDTH - 14}" y="{y + 35}">{mark}</text>'
    inside = (
        f"<title>{escape(node.title or f'{node.label} {node.sub}'.strip())}</title>"
        f'<rect class="graph-box" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
        f"{stripe}{mark}"
        f'<text class="graph-label" x="{x + 14}" y="{y + 19}">'
        f"{_fitting(node.label, LABEL_FITS)}</text>"
        f'<text class="graph-sub" x="{x + 14}" y="{y + 35}">'
        f"{_fitting(node.sub, SUB_FITS)}</text>"
    )
    attributes = f'class="graph-node is-{status}" data-node="{number}"'
    if node.url:
        return f'<a {attributes} href="{escape(node.url)}">{inside}</a>'
    return f"<g {attributes}>{inside}</g>"
