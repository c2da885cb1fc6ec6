// Marks the file of the archive that is shown, after another one was fetched.
"use strict";

document.addEventListener("htmx:afterSwap", (event) => {
    const link = event.detail.requestConfig?.elt;
    const list = link?.closest(".archive-list");
    if (!list) return;
    list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
});
