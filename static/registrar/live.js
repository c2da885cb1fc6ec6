/* A page that follows what changes: it asks for itself, and merges the response into what is shown.

   Elements stay the same where they can, so that scroll positions, the focus, open details and the
   size of a graph survive. It asks less often while nothing changes, and not at all while no one
   looks at it. */
(() => {
    "use strict";
    const SHORTEST = 2000;
    const LONGEST = 10000;
    const AFTER_ERROR = 30000;
    // How much of the time responses may take: the server has others to answer, too.
    const SHARE = 0.05;
    // Changes are read aloud, but not all the time.
    const BETWEEN_WORDS = 10000;

    // --- Merging -----------------------------------------------------------------------------

    // What scripts and readers change is theirs.
    const KEPT_ATTRIBUTES = new Set(["class", "style", "open", "data-graph", "data-outcome"]);
    const KEPT_CLASSES = /^(htmx-.*|is-near|has-focus|is-dragged|menu-up)$/;
    const isKept = (element, name) =>
        KEPT_ATTRIBUTES.has(name) ||
        (element.matches(".graph-svg") && ["width", "height"].includes(name));

    const mergeAttributes = (shown, fresh) => {
        for (const { name } of [...shown.attributes]) {
            if (!isKept(shown, name) && !fresh.hasAttribute(name)) {
                shown.removeAttribute(name);
            }
        }
        for (const { name, value } of fresh.attributes) {
            if (!isKept(shown, name) && shown.getAttribute(name) !== value) {
                shown.setAttribute(name, value);
            }
        }
        const own = [...shown.classList].filter((name) => KEPT_CLASSES.test(name));
        const classes = [...fresh.classList, ...own].join(" ");
        if ((shown.getAttribute("class") || "") !== classes) {
            shown.setAttribute("class", classes);
        }
    };

    // What says which element is the same one among its siblings; others go by their order.
    const nameOf = (node) => {
        if (node.nodeType !== Node.ELEMENT_NODE) {
            return node.nodeName;
        }
        const isRow = node.matches("tr, li");
        const name =
            node.id ||
            node.getAttribute("aria-labelledby") ||
            (isRow && node.querySelector("a")?.getAttribute("href"));
        return `${node.nodeName} ${name || ""}`;
    };

    const shapeOf = (graph) => {
        const svg = graph.querySelector(".graph-svg");
        return svg && `${svg.getAttribute("viewBox")} ${svg.childElementCount}`;
    };

    // Whether the shown node can become the fresh one.
    const canBecome = (shown, fresh) => {
        if (shown.nodeType !== Node.ELEMENT_NODE) {
            return true;
        }
        if (shown.matches("[data-graph]")) {
            return shapeOf(shown) === shapeOf(fresh);
        }
        return !shown.matches("time.moment") || shown.dateTime === fresh.dateTime;
    };

    const become = (shown, fresh, added) => {
        if (shown.nodeType !== Node.ELEMENT_NODE) {
            if (shown.data !== fresh.data) {
                shown.data = fresh.data;
            }
        } else if (!shown.matches("time.moment, [data-loads]")) {
            // A script shows moments, and what loads itself has its own content.
            merge(shown, fresh, added);
        }
    };

    const merge = (shown, fresh, added) => {
        mergeAttributes(shown, fresh);
        const unused = new Map();
        for (const node of shown.childNodes) {
            const name = nameOf(node);
            if (!unused.has(name)) {
                unused.set(name, []);
            }
            unused.get(name).push(node);
        }
        for (const nodes of unused.values()) {
            nodes.reverse();
        }
        const nodes = [...fresh.childNodes].map((node) => {
            const found = unused.get(nameOf(node))?.at(-1);
            if (!found || !canBecome(found, node)) {
                added.push(node);
                return node;
            }
            unused.get(nameOf(node)).pop();
            become(found, node, added);
            return found;
        });
        for (const node of [...unused.values()].flat()) {
            node.remove();
        }
        let place = shown.firstChild;
        for (const node of nodes) {
            if (node === place) {
                place = place.nextSibling;
            } else {
                shown.insertBefore(node, place);
            }
        }
    };

    htmx.defineExtension("merge", {
        handleSwap: (style, target, fragment) => {
            if (style !== "merge") {
                return false;
            }
            const added = [];
            merge(target, fragment.firstElementChild, added);
            return added;
        },
    });

    // --- Asking ------------------------------------------------------------------------------

    const page = document.getElementById("live");
    let pause = SHORTEST;
    let timer = null;
    let spoke = -BETWEEN_WORDS;
    let spoken = page.dataset.summary;
    // When each element that loads itself did so, and how long that took.
    const loads = new Map();

    const isFinal = () => !page.hasAttribute("hx-get");
    const ask = () => {
        clearTimeout(timer);
        timer = null;
        if (!isFinal()) {
            htmx.trigger(page, "registrar:ask");
        }
    };
    const askLater = (after) => {
        clearTimeout(timer);
        timer = setTimeout(() => document.hidden || ask(), after);
    };

    const speak = () => {
        const now = performance.now();
        if (page.dataset.summary !== spoken && (isFinal() || now - spoke > BETWEEN_WORDS)) {
            spoken = page.dataset.summary;
            spoke = now;
            registrar.announce(spoken);
        }
    };

    const loadAgain = () => {
        for (const [element, { at, took }] of loads) {
            if (isFinal() || performance.now() - at > took / SHARE) {
                htmx.trigger(element, "registrar:changed");
            }
        }
    };

    const begun = new WeakMap();
    document.addEventListener("htmx:beforeRequest", ({ detail }) => {
        begun.set(detail.xhr, performance.now());
    });
    document.addEventListener("htmx:afterRequest", ({ detail }) => {
        const { elt, xhr } = detail;
        const at = performance.now();
        const took = at - begun.get(xhr);
        if (elt.matches("[data-loads]")) {
            loads.set(elt, { at, took });
        }
        if (elt !== page) {
            return;
        }
        if (xhr.status === 200) {
            pause = SHORTEST;
            speak();
            loadAgain();
        } else {
            pause = xhr.status === 204 ? Math.min(LONGEST, pause * 1.5) : AFTER_ERROR;
        }
        askLater(Math.max(pause, took / SHARE));
    });
    document.addEventListener("visibilitychange", () => {
        if (!document.hidden && timer !== null) {
            pause = SHORTEST;
            ask();
        }
    });
    askLater(SHORTEST);
})();
