/* Names for fields of the admin that have none which a screen reader could say: the search of a list
   (its label is an icon), pickers and their search boxes, and cells below a heading. */
(() => {
    "use strict";
    const textOf = (element) => element?.textContent.replace(/[:\s]+/g, " ").trim() || "";

    const nameOf = (field) => {
        const label = textOf(field.labels?.[0]);
        const cell = field.closest(".tabular td");
        const column = [...(cell?.classList || [])].find((name) => name.startsWith("field-"));
        const heading = cell
            ?.closest("table")
            .querySelector(`thead .${column?.replace("field-", "column-")}`);
        return label || textOf(heading);
    };
    const call = (field, name) => {
        if (name && field.getAttribute("aria-label") !== name) {
            field.setAttribute("aria-label", name);
        }
    };

    const callAll = () => {
        const search = document.getElementById("searchbar");
        if (search) {
            call(search, gettext("Search"));
        }
        for (const field of document.querySelectorAll(".tabular td :is(input, select, textarea)")) {
            if (field.type !== "hidden" && !field.matches(".select2-search__field")) {
                call(field, nameOf(field));
            }
        }
        for (const box of document.querySelectorAll("select + .select2-container")) {
            const name = nameOf(box.previousElementSibling);
            for (const part of box.querySelectorAll("[role=combobox], [role=textbox]")) {
                call(part, name);
            }
            for (const field of box.querySelectorAll(".select2-search__field")) {
                call(field, interpolate(gettext("Search %(name)s"), { name }, true));
            }
        }
        // The list that is open lies at the end of the page.
        for (const field of document.querySelectorAll(".select2-dropdown .select2-search__field")) {
            call(field, gettext("Search"));
        }
    };

    document.addEventListener("DOMContentLoaded", () => {
        callAll();
        new MutationObserver(callAll).observe(document.body, { childList: true, subtree: true });
    });
})();
