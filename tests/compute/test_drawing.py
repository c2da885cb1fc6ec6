"""The drawing of a graph: whatever the graph, boxes are apart, edges are there, texts are safe."""

import random
import re
from itertools import combinations
from xml.etree import ElementTree

import pytest

from assets.compute.drawing import HEIGHT, WIDTH, Edge, Node, draw


def chain(length):
    nodes = [Node(str(n), f"step {n}") for n in range(length)]
    return nodes, [Edge(str(n), str(n + 1)) for n in range(length - 1)]


def fan(width):
    """One parent, many children, which all feed one task."""
    nodes = [Node("first", "split"), *(Node(f"m{n}", "map") for n in range(width))]
    nodes.append(Node("last", "join"))
    edges = [Edge("first", f"m{n}") for n in range(width)]
    return nodes, edges + [Edge(f"m{n}", "last") for n in range(width)]


def rounds(count, workers=3):
    """Federated averaging: training, aggregation and evaluation, round after round."""
    nodes, edges, shared = [], [], None
    for index in range(count):
        trained = [f"train-{index}-{n}" for n in range(workers)]
        nodes += [
            Node(key, "train", f"org {n}", "done", f"org {n}") for n, key in enumerate(trained)
        ]
        edges += [Edge(shared, key, "shared") for key in trained if shared]
        shared = f"aggregate-{index}"
        nodes.append(Node(shared, "aggregate", "org 0", "executing", "org 0"))
        edges += [Edge(key, shared, "model") for key in trained]
        for n in range(workers):
            nodes.append(Node(f"test-{index}-{n}", "test", f"org {n}", group=f"org {n}"))
            edges.append(Edge(shared, f"test-{index}-{n}"))
    return nodes, edges


def at_random(size, seed):
    """Any task may feed any later one, far or near."""
    chosen = random.Random(seed)
    nodes = [Node(str(n), f"task {n}", group=f"org {n % 11}") for n in range(size)]
    edges = [
        Edge(str(parent), str(n))
        for n in range(1, size)
        for parent in chosen.sample(range(n), min(n, chosen.randrange(4)))
    ]
    return nodes, edges


def in_a_circle():
    nodes, edges = chain(4)
    return [*nodes, Node("apart", "apart")], [*edges, Edge("3", "1")]


GRAPHS = {
    "one": chain(1),
    "chain": chain(12),
    "fan": fan(30),
    "rounds": rounds(5),
    "random": at_random(60, 1),
    "far and near": at_random(200, 2),
    "without edges": ([Node(str(n), "alone") for n in range(20)], []),
    "circle": in_a_circle(),
    "ranks given": ([Node("a", "a", rank=0), Node("b", "b", rank=7)], [Edge("a", "b")]),
}

each_graph = pytest.mark.parametrize(("nodes", "edges"), GRAPHS.values(), ids=GRAPHS)


def ends_of(drawing):
    """The pairs of node numbers that edges are drawn between."""
    return sorted(
        (int(source), int(target))
        for source, target in re.findall(r'data-from="(\d+)" data-to="(\d+)"', drawing.svg)
    )


@each_graph
def test_no_boxes_overlap(nodes, edges):
    places = draw(nodes, edges).places
    assert set(places) == {node.key for node in nodes}
    for one, other in combinations(places.values(), 2):
        assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT


@each_graph
def test_every_edge_is_drawn_once(nodes, edges):
    numbers = {node.key: number for number, node in enumerate(nodes)}
    wanted = sorted({(numbers[edge.source], numbers[edge.target]) for edge in edges})
    drawing = draw(nodes, edges)
    assert ends_of(drawing) == wanted
    assert drawing.edge_count == len(wanted)


@each_graph
def test_all_of_it_is_in_the_picture(nodes, edges):
    drawing = draw(nodes, edges)
    for x, y in drawing.places.values():
        assert 0 <= x <= drawing.width - WIDTH
        assert 0 <= y <= drawing.height - HEIGHT


@each_graph
def test_the_same_graph_is_drawn_the_same(nodes, edges):
    assert draw(nodes, edges) == draw(list(nodes), list(edges))


@each_graph
def test_it_is_well_formed(nodes, edges):
    root = ElementTree.fromstring(f"<svg>{draw(nodes, edges).svg}</svg>")  # noqa: S314  our own
    boxes = [part for part in root.iter() if "graph-node" in part.get("class", "")]
    assert len(boxes) == len(nodes)


@pytest.mark.parametrize("name", ["chain", "fan", "rounds", "random", "far and near"])
def test_edges_lead_from_left_to_right(name):
    nodes, edges = GRAPHS[name]
    places = draw(nodes, edges).places
    assert all(places[edge.source].x + WIDTH < places[edge.target].x for edge in edges)


def test_a_chain_is_straight():
    assert len({place.y for place in draw(*chain(30)).places.values()}) == 1


def test_long_graphs_stay_level():
    assert draw(*rounds(60)).height < 2 * draw(*rounds(3)).height


def test_the_order_avoids_crossings():
    """Children that are given in the opposite order of their parents stand beside them."""
    parents = [Node(f"p{n}", "parent", group=f"org {n}") for n in range(6)]
    children = [Node(f"c{n}", "child", group=f"org {9 - n}") for n in range(6)]
    places = draw([*parents, *children], [Edge(f"p{n}", f"c{n}") for n in range(6)]).places
    assert [places[f"p{n}"].y for n in range(6)] == [places[f"c{n}"].y for n in range(6)]


def test_edges_pass_layers_beside_the_boxes():
    nodes, edges = chain(3)
    drawing = draw(nodes, [*edges, Edge("0", "2")])
    passing = re.search(r'data-from="0" data-to="2" d="([^"]+)"', drawing.svg)[1]
    level = int(re.search(r" (\d+)H", passing)[1])
    box = drawing.places["1"]
    assert not box.y <= level <= box.y + HEIGHT


def test_several_edges_between_two_tasks_are_one_with_all_their_labels():
    nodes, _ = chain(2)
    drawing = draw(nodes, [Edge("0", "1", "model"), Edge("0", "1", "state <1>")])
    assert ends_of(drawing) == [(0, 1)]
    assert "<title>model, state &lt;1&gt;</title>" in drawing.svg


def test_edges_of_unknown_tasks_and_to_oneself_are_left_out():
    nodes, _ = chain(2)
    drawing = draw(nodes, [Edge("0", "elsewhere"), Edge("elsewhere", "1"), Edge("1", "1")])
    assert ends_of(drawing) == []


def test_nothing_is_drawn_of_nothing():
    drawing = draw([], [Edge("a", "b")])
    assert (drawing.svg, drawing.width, drawing.height) == ("", 0, 0)


EVIL = '"><script>alert(1)</script>'


@pytest.mark.parametrize("field", ["label", "sub", "status", "group", "url", "title"])
def test_texts_are_escaped(field):
    drawing = draw([Node("a", "x", rank=0)._replace(**{field: EVIL}), Node("b", "y")], [])
    assert "<script" not in drawing.svg
    ElementTree.fromstring(f"<svg>{drawing.svg}</svg>")  # noqa: S314  our own


def test_long_names_are_cut_and_shown_in_full():
    name = "A very long name of a function that fits nowhere"
    svg = draw([Node("a", name)], []).svg
    assert ">A very long name of…</text>" in svg
    assert f"<title>{name}</title>" in svg


def test_nodes_lead_to_their_pages_when_they_have_one():
    svg = draw([Node("a", "x", url="/tasks/1/?a=1&b=2"), Node("b", "y")], []).svg
    assert 'href="/tasks/1/?a=1&amp;b=2"' in svg
    assert svg.count("<a ") == 1


def test_statuses_are_shown_by_more_than_colour():
    svg = draw([Node("a", "x", status="done"), Node("b", "y", status="failed")], []).svg
    assert "is-done" in svg
    assert "✓" in svg
    assert "✕" in svg
