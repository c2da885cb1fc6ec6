/* What every page has: the shortcut to the search, menus, copy buttons, the switch of the theme.
   It comes first, and hands what several scripts need to the others as `registrar`. */
(() => {
    "use strict";
    const announce = (text) => {
        document.getElementById("announcer").textContent = text;
    };
    const element = (tag, attributes = {}, ...children) => {
        const made = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) {
            made.setAttribute(name, value);
        }
        made.append(...children);
        return made;
    };
    window.registrar = { announce, element };

    // What covers the top of the page, in pixels.
    const TOPBAR = 60;

    const typing = (element) =>
        element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);

    // "/" leads to the search from everywhere.
    document.addEventListener("keydown", (event) => {
        if (event.key === "/" && !typing(event.target) && !event.ctrlKey && !event.metaKey) {
            const search = document.getElementById("global-search");
            if (search) {
                event.preventDefault();
                search.focus();
                search.select();
            }
        }
        if (event.key === "Escape") {
            for (const menu of document.querySelectorAll("details.menu[open]")) {
                menu.open = false;
                menu.querySelector("summary").focus();
            }
            const suggestions = document.getElementById("search-suggestions");
            if (suggestions?.contains(document.activeElement)) {
                document.getElementById("global-search").focus();
            }
            suggestions?.replaceChildren();
        }
    });

    // Lists are addressed by the filters that hold, and by each state of these once.
    document.addEventListener("htmx:configRequest", ({ detail }) => {
        if (detail.elt.matches("[data-list] .filters")) {
            for (const [name, value] of [...detail.formData]) {
                if (value === "") {
                    detail.formData.delete(name);
                }
            }
            // Without a day, its time zone says nothing.
            const days = [...detail.elt.querySelectorAll("input[type=date]")];
            if (!days.some((day) => day.value)) {
                detail.formData.delete("tz");
            }
        }
    });
    document.addEventListener("htmx:beforeRequest", (event) => {
        const { elt, pathInfo } = event.detail;
        const here = location.pathname + location.search;
        if (elt.matches("[data-list] .filters") && pathInfo.finalRequestPath === here) {
            event.preventDefault();
        }
    });

    // A menu opens where there is room: upwards at the end of a page, else the page scrolls to it.
    document.addEventListener(
        "toggle",
        ({ target }) => {
            if (!target.matches("details.menu")) {
                return;
            }
            target.classList.remove("menu-up");
            const panel = target.querySelector(".menu-panel");
            if (!target.open || panel.getBoundingClientRect().bottom <= innerHeight) {
                return;
            }
            const above = target.getBoundingClientRect().top - TOPBAR;
            target.classList.toggle("menu-up", panel.offsetHeight < above);
            panel.scrollIntoView({ block: "nearest" });
        },
        true,
    );

    // A menu closes when one goes on elsewhere.
    document.addEventListener("click", (event) => {
        for (const menu of document.querySelectorAll("details.menu[open]")) {
            if (!menu.contains(event.target)) {
                menu.open = false;
            }
        }
        const suggestions = document.getElementById("search-suggestions");
        if (suggestions && !suggestions.parentElement.contains(event.target)) {
            suggestions.replaceChildren();
        }
    });

    // The arrow keys lead from the search to what it suggests, and back.
    document.addEventListener("keydown", (event) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        const search = event.target.closest?.(".global-search");
        if (step && search) {
            const stops = [...search.querySelectorAll("input, .search-suggestions a")];
            const next = stops[stops.indexOf(event.target) + step];
            if (next) {
                event.preventDefault();
                next.focus();
            }
        }
    });

    // Copy buttons name the element whose text they copy, or bring the text.
    const copied = async (button) => {
        const source = document.getElementById(button.dataset.copyFrom || "");
        const text = button.dataset.copy || source?.value || source?.textContent || "";
        try {
            await navigator.clipboard.writeText(text.trim());
            return gettext("Copied");
        } catch {
            if (source) {
                getSelection().selectAllChildren(source);
            }
            return gettext("Press Ctrl+C");
        }
    };
    document.addEventListener("click", async (event) => {
        const button = event.target.closest("[data-copy], [data-copy-from]");
        if (button) {
            event.preventDefault();
            const outcome = await copied(button);
            announce(outcome);
            button.dataset.outcome = outcome;
            setTimeout(() => delete button.dataset.outcome, 1500);
        }
    });

    const choice = document.getElementById("theme-choice");
    if (choice) {
        choice.value = document.documentElement.dataset.themeChoice;
        choice.addEventListener("change", () =>
            document.dispatchEvent(new CustomEvent("registrar:theme", { detail: choice.value })),
        );
    }

    // The first thing that is wrong is where one goes on.
    document.querySelector("[data-focus]")?.focus();

    // What a browser can do only with scripts is shown only then.
    document.documentElement.classList.add("has-scripts");
})();
