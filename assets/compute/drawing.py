"""A graph of tasks as SVG: layers from left to right, nodes as boxes, edges as curves between them.

It knows plain values only, so that registered plans and drafts are drawn the same way. The order
in a layer follows each node's neighbours, to avoid crossings; an edge that passes a layer has its
own lane. The same graph always gives the same drawing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape as uncached_escape
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from ..common.text.reading import cut
from .graph import sort_by_rank

WIDTH, HEIGHT = 176, 44
GAP_X, GAP_Y = 60, 14
LANE = 10
MARGIN, HEADING = 12, 28
SWEEPS = 4
# How far an item follows the height of its neighbours, rather than the middle line, which keeps
# long graphs level.
FOLLOWS = 0.9
# The worker colours of the style sheet; more workers share them.
COLOURS = 8
# With more lanes, the layout would take too long for a page; edges are then straight.
MAX_LANES = 6000
# A graph with more edges is not readable, and slow to draw.
EDGES = 6000
# How many characters a box has room for.
LABEL_LENGTH, SUB_LENGTH = 21, 20

# Statuses are marked by a sign as well as by colour.
MARKS = {"done": "✓", "failed": "✕", "canceled": "⊘", "executing": "▶", "building": "▶"}


# Most texts occur in many boxes of a graph.
escape = lru_cache(4096)(uncached_escape)


@lru_cache(4096)
def _shortened(text: str, length: int) -> str:
    return uncached_escape(cut(text, length))


class Node(NamedTuple):
    """A box: two lines of text, a colour by `status` and a stripe by `group`.

    Without a rank for each, nodes are layered by their edges.
    """

    key: str
    label: str
    sub: str = ""
    # A word such as "done" or "waiting-for-parents"; the stylesheet colours `is-<status>`.
    status: str = ""
    # The worker, shown by the colour of the stripe.
    group: str = ""
    url: str = ""
    # The tooltip of the box.
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
    """A drawn graph: the content of an `<svg>` of this size, and the places of its boxes."""

    width: int
    height: int
    svg: SafeString
    places: Mapping[str, Place]
    # (group, number of its colour), in the order of the legend.
    groups: Sequence[tuple[str, int]]
    edge_count: int


class Graph(NamedTuple):
    """A drawn graph, a sentence that sums it up, and for a registered plan the rows of a table."""

    drawing: Drawing
    summary: str
    rows: SafeString = SafeString()


class _Item:
    """A node in a layer, or the lane of edges that pass it."""

    __slots__ = ("after", "before", "height", "layer", "y")

    def __init__(self, layer: int, height: int) -> None:
        self.layer, self.height, self.y = layer, height, 0.0
        self.before: list[_Item] = []
        self.after: list[_Item] = []


def draw(nodes: Sequence[Node], edges: Iterable[Edge]) -> Drawing:
    """Return the drawing of a graph, without edges of unknown nodes."""
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
    """Return each node's rank: as given, or one more than its highest parent's.

    Nodes in or below a cycle, which a draft may have, come last.
    """
    given = {node.key: node.rank for node in nodes if node.rank is not None}
    if len(given) == len(nodes):
        return given
    parents: dict[str, list[str]] = {node.key: [] for node in nodes}
    for source, target in edges:
        parents[target].append(source)
    ranks = sort_by_rank(parents, {})
    last = max(ranks.values(), default=-1) + 1
    return {key: ranks.get(key, last) for key in parents}


def _route(
    edges: Iterable[tuple[str, str]], items: Mapping[str, _Item], layers: list[list[_Item]]
) -> dict[tuple[str, str], list[_Item]]:
    """Return the lanes that each edge passes; edges from one node share them."""
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
    """Sort each layer by the places of its neighbours, sweeping over the layers in turn."""
    for layer in layers:
        for number, item in enumerate(layer):
            item.y = number
    for layer, neighbours in _sweeps(layers):
        wanted = {}
        for item, near in zip(layer, neighbours, strict=True):
            wanted[item] = sum(other.y for other in near) / len(near) if near else item.y
        layer.sort(key=wanted.__getitem__)
        # Places are fractions of the layer, to compare layers of different lengths.
        for number, item in enumerate(layer):
            item.y = (number + 0.5) / len(layer)


def _sweeps(layers: list[list[_Item]]) -> Iterator[tuple[list[_Item], list[list[_Item]]]]:
    """Yield each layer with the neighbours of its items, to the right and to the left in turn."""
    for sweep in range(SWEEPS):
        if sweep % 2 == 0:
            yield from ((layer, [item.before for item in layer]) for layer in layers)
        else:
            yield from ((layer, [item.after for item in layer]) for layer in reversed(layers))


def _set_heights(layers: list[list[_Item]]) -> int:
    """Set the `y` of every item, near its neighbours and without overlaps; return the height."""
    for layer in layers:
        _stack(layer, [-item.height / 2 for item in layer])
    for layer, neighbours in _sweeps(layers):
        wanted = []
        for item, others in zip(layer, neighbours, strict=True):
            near = others or [item]
            middle = sum(other.y + other.height / 2 for other in near) / len(near)
            wanted.append(FOLLOWS * middle - item.height / 2)
        _stack(layer, wanted)
    top = min(item.y for layer in layers for item in layer)
    for layer in layers:
        for item in layer:
            item.y += HEADING + MARGIN - top
    return round(max(item.y + item.height for layer in layers for item in layer)) + MARGIN


def _stack(layer: list[_Item], wanted: Sequence[float]) -> None:
    """Place the items of a layer as near as possible to the wanted heights, in their order.

    Items that would overlap form a block, placed at the average of its items' wanted heights.
    """
    offsets, offset = [], 0.0
    for item in layer:
        offsets.append(offset)
        offset += item.height + GAP_Y
    blocks: list[tuple[float, int]] = []  # (sum of the wanted heights, number of items)
    for place, offset in zip(wanted, offsets, strict=True):
        total, count = place - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    starts = [total / count for total, count in blocks for _ in range(count)]
    for item, start, offset in zip(layer, starts, offsets, strict=True):
        item.y = start + offset


# --- SVG ------------------------------------------------------------------------------------------


def _heading(number: int, rank: int) -> str:
    x = MARGIN + number * (WIDTH + GAP_X)
    text = _("Rank %(rank)d") % {"rank": rank}
    return f'<text class="graph-rank" x="{x}" y="{MARGIN + 9}">{text}</text>'


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
        f"{_shortened(node.label, LABEL_LENGTH)}</text>"
        f'<text class="graph-sub" x="{x + 14}" y="{y + 35}">'
        f"{_shortened(node.sub, SUB_LENGTH)}</text>"
    )
    attributes = f'class="graph-node is-{status}" data-node="{number}"'
    if node.url:
        return f'<a {attributes} href="{escape(node.url)}">{inside}</a>'
    return f"<g {attributes}>{inside}</g>"
