/* A form is sent once: while the answer is awaited, its buttons rest. The server would carry a second
   click out no second time; this spares it, and shows that the first one counts. */
(() => {
    "use strict";
    // Whoever stops the page, or loses the connection, may try again.
    const PATIENCE = 10_000;
    const rest = (form, resting) => {
        form.toggleAttribute("data-sending", resting);
        for (const button of form.elements) {
            if (button.type !== "submit") {
                continue;
            }
            if (resting ? !button.disabled : button.hasAttribute("data-resting")) {
                button.disabled = resting;
                button.toggleAttribute("data-resting", resting);
            }
        }
    };
    document.addEventListener("submit", (event) => {
        const form = event.target;
        // What a script sends is looked after by the script.
        if (event.defaultPrevented || form.method !== "post" || form.dataset.method) {
            return;
        }
        if (form.hasAttribute("data-sending")) {
            event.preventDefault();
            return;
        }
        form.toggleAttribute("data-sending", true);
        // Not at once: a button that rests already is not sent with the form.
        setTimeout(() => rest(form, true));
        setTimeout(() => rest(form, false), PATIENCE);
    });
    // "Back" shows the page as it was left.
    window.addEventListener("pageshow", () => {
        for (const form of document.querySelectorAll("form[data-sending]")) {
            rest(form, false);
        }
    });
})();
