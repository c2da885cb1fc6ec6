/* Names, for screen readers, for what the admin leaves without one: the search of a list, whose label
   is an icon, and the boxes that a script puts in place of lists of choices. */
(() => {
    "use strict";
    const setName = (element, name) => {
        if (name && element.getAttribute("aria-label") !== name) {
            element.setAttribute("aria-label", name);
        }
    };

    const setNames = () => {
        const search = document.getElementById("searchbar");
        if (search) {
            setName(search, gettext("Search"));
        }
        for (const box of document.querySelectorAll("select + .select2-container")) {
            const label = box.previousElementSibling.labels[0];
            const name = label?.textContent.replace(/[:\s]+/g, " ").trim();
            for (const part of box.querySelectorAll("[role=combobox], [role=textbox]")) {
                setName(part, name);
            }
            for (const field of box.querySelectorAll(".select2-search__field")) {
                setName(field, interpolate(gettext("Search %(name)s"), { name }, true));
            }
        }
        // The list that is open is at the end of the page.
        for (const field of document.querySelectorAll(".select2-dropdown .select2-search__field")) {
            setName(field, gettext("Search"));
        }
    };

    document.addEventListener("DOMContentLoaded", () => {
        setNames();
        new MutationObserver(setNames).observe(document.body, { childList: true, subtree: true });
    });
})();
