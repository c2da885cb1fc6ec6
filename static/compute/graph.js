// Graphs of tasks: size, scrolling, and the neighbours of a node. Without scripts, the graph has its
// natural size in a box that scrolls.
(() => {
    "use strict";

    const STEP = 1.25;
    const SMALLEST = 0.08;
    const LARGEST = 3;

    function setUp(graph) {
        if (graph.dataset.graph === "ready") return;
        graph.dataset.graph = "ready";
        const box = graph.querySelector("[data-graph-scroll]");
        const svg = graph.querySelector(".graph-svg");
        if (!box || !svg) return;
        const width = svg.viewBox.baseVal.width;
        const height = svg.viewBox.baseVal.height;
        let scale = 1;

        // The box keeps its height, so that nothing below it moves.
        box.style.height = `${box.offsetHeight}px`;

        // However large the graph is, all of it can be seen at once.
        const fitting = () => Math.min(1, box.clientWidth / width, box.clientHeight / height);

        // Keeps the point (x, y) of the box where it is.
        function resize(wanted, x = box.clientWidth / 2, y = box.clientHeight / 2) {
            const least = Math.min(SMALLEST, fitting());
            const next = Math.min(LARGEST, Math.max(least, wanted));
            const left = (box.scrollLeft + x) * (next / scale) - x;
            const top = (box.scrollTop + y) * (next / scale) - y;
            scale = next;
            svg.setAttribute("width", width * scale);
            svg.setAttribute("height", height * scale);
            box.scrollLeft = left;
            box.scrollTop = top;
        }

        const actions = {
            in: () => resize(scale * STEP),
            out: () => resize(scale / STEP),
            fit: () => resize(fitting()),
            reset: () => resize(1),
        };

        graph.addEventListener("click", (event) => {
            const button = event.target.closest("[data-graph-zoom]");
            if (button) actions[button.dataset.graphZoom]();
        });
        box.addEventListener("keydown", (event) => {
            if (event.ctrlKey || event.metaKey || event.altKey) return;
            const action = { "+": "in", "=": "in", "-": "out", "0": "reset", f: "fit" }[event.key];
            if (!action) return;
            event.preventDefault();
            actions[action]();
        });
        box.addEventListener("wheel", (event) => {
            if (!event.ctrlKey && !event.metaKey) return;
            event.preventDefault();
            const place = box.getBoundingClientRect();
            const factor = event.deltaY < 0 ? STEP : 1 / STEP;
            resize(scale * factor, event.clientX - place.left, event.clientY - place.top);
        }, { passive: false });
        drag(box);
        highlight(graph, svg);
    }

    // Moves by the mouse; touch and arrow keys scroll the box by themselves.
    function drag(box) {
        let from = null;
        let moved = false;
        box.addEventListener("pointerdown", (event) => {
            if (event.pointerType !== "mouse" || event.button !== 0) return;
            from = { x: event.clientX + box.scrollLeft, y: event.clientY + box.scrollTop };
            moved = false;
        });
        window.addEventListener("pointermove", (event) => {
            if (!from) return;
            const left = from.x - event.clientX;
            const top = from.y - event.clientY;
            if (!moved && Math.abs(left - box.scrollLeft) + Math.abs(top - box.scrollTop) < 5) return;
            moved = true;
            box.classList.add("is-dragged");
            box.scrollLeft = left;
            box.scrollTop = top;
        });
        window.addEventListener("pointerup", () => {
            from = null;
            box.classList.remove("is-dragged");
        });
        // A link that was dragged is neither carried off nor followed.
        box.addEventListener("dragstart", (event) => event.preventDefault());
        box.addEventListener("click", (event) => {
            if (moved) event.preventDefault();
            moved = false;
        }, true);
    }

    // Marks a node, its edges and its neighbours while the node is pointed at or has the focus.
    function highlight(graph, svg) {
        const nodes = new Map();
        for (const node of svg.querySelectorAll("[data-node]")) nodes.set(node.dataset.node, node);
        const edges = new Map();
        for (const edge of svg.querySelectorAll("[data-from]")) {
            for (const end of [edge.dataset.from, edge.dataset.to]) {
                if (!edges.has(end)) edges.set(end, []);
                edges.get(end).push(edge);
            }
        }
        let near = [];

        function clear() {
            for (const part of near) part.classList.remove("is-near");
            near = [];
            svg.classList.remove("has-focus");
        }

        function mark(node) {
            clear();
            near.push(node);
            for (const edge of edges.get(node.dataset.node) || []) {
                near.push(edge, nodes.get(edge.dataset.from), nodes.get(edge.dataset.to));
            }
            for (const part of near) part.classList.add("is-near");
            svg.classList.add("has-focus");
        }

        for (const kind of ["pointerover", "focusin"]) {
            svg.addEventListener(kind, (event) => {
                const node = event.target.closest("[data-node]");
                if (node) mark(node);
                else if (kind === "pointerover") clear();
            });
        }
        svg.addEventListener("pointerleave", clear);
        svg.addEventListener("focusout", clear);
    }

    function findAll(root) {
        if (root.matches?.("[data-graph]")) setUp(root);
        for (const graph of root.querySelectorAll("[data-graph]")) setUp(graph);
    }

    // Pieces of a page that come later are announced by htmx.
    document.addEventListener("htmx:load", (event) => findAll(event.detail.elt));
    if (document.readyState === "loading") {
        document.addEventListener("DOMContentLoaded", () => findAll(document));
    } else {
        findAll(document);
    }
})();
