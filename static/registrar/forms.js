/* Forms: rows that are added, removed and moved, the Enter key, and a word before what was typed is
   left behind. */
(() => {
    "use strict";
    const { announce } = window.registrar;

    // --- Rows of a list -------------------------------------------------------------------------

    const cardsOf = (rows) => [...rows.querySelectorAll(":scope > .row-list > .row-card")];
    const shownCards = (rows) => cardsOf(rows).filter((card) => !card.hidden);
    const totalOf = (rows) => rows.querySelector(`[name="${rows.dataset.prefix}-TOTAL_FORMS"]`);
    const fieldOf = (card, name) => card.querySelector(`[name$="-${name}"]`);
    const nounOf = (card) => card.dataset.item || "row";

    const number = (rows) => {
        shownCards(rows).forEach((card, index) => {
            const order = fieldOf(card, "ORDER");
            if (order) {
                order.value = index + 1;
            }
            const legend = card.querySelector(":scope > legend");
            if (legend) {
                const noun = nounOf(card);
                legend.textContent = `${noun[0].toUpperCase()}${noun.slice(1)} ${index + 1}`;
            }
        });
    };

    const addRow = (rows) => {
        const total = totalOf(rows);
        const template = rows.querySelector(":scope > template");
        const list = rows.querySelector(":scope > .row-list");
        const html = template.innerHTML.replaceAll("__prefix__", total.value);
        list.insertAdjacentHTML("beforeend", html);
        total.value = Number(total.value) + 1;
        const card = list.lastElementChild;
        card.dataset.isNew = "yes";
        window.htmx?.process(card);
        number(rows);
        card.querySelector("input:not([type=hidden]), select, textarea")?.focus();
        const values = { row: nounOf(card), number: shownCards(rows).length };
        announce(interpolate(gettext("Added: %(row)s %(number)s."), values, true));
        return card;
    };

    const removeRow = (rows, card) => {
        const shown = shownCards(rows);
        const place = shown.indexOf(card);
        const next = shown[place + 1] || shown[place - 1];
        const total = totalOf(rows);
        const isLast = fieldOf(card, "ORDER")?.name === `${rows.dataset.prefix}-${total.value - 1}-ORDER`;
        if (card.dataset.isNew && isLast) {
            card.remove();
            total.value -= 1;
        } else {
            // The form's numbers have no gaps, so the row stays and says that it goes.
            fieldOf(card, "DELETE").checked = true;
            card.hidden = true;
        }
        number(rows);
        (next?.querySelector("[data-row-remove]") || rows.querySelector("[data-add-row]"))?.focus();
        const values = { row: nounOf(card), number: place + 1 };
        announce(interpolate(gettext("Removed: %(row)s %(number)s."), values, true));
    };

    const moveRow = (rows, card, by, button) => {
        const shown = shownCards(rows);
        const place = shown.indexOf(card);
        const other = shown[place + by];
        if (!other) {
            announce(by < 0 ? gettext("Already first.") : gettext("Already last."));
            return;
        }
        other[by < 0 ? "before" : "after"](card);
        number(rows);
        button.focus();
        announce(interpolate(gettext("Moved to position %(number)s."), { number: place + by + 1 }, true));
    };

    document.addEventListener("click", (event) => {
        const button = event.target.closest?.("button");
        const rows = button?.closest(".rows");
        if (!rows) {
            return;
        }
        const card = button.closest(".row-card");
        let change = null;
        if (button.matches("[data-add-row]")) {
            change = () => addRow(rows);
        } else if (button.matches("[data-row-remove]")) {
            change = () => removeRow(rows, card);
        } else if (button.matches("[data-row-up], [data-row-down]")) {
            change = () => moveRow(rows, card, button.matches("[data-row-up]") ? -1 : 1, button);
        }
        if (change) {
            event.preventDefault();
            change();
            rows.dispatchEvent(new Event("registrar:rows", { bubbles: true }));
        }
    });

    // --- The form as a whole --------------------------------------------------------------------

    document.addEventListener("keydown", (event) => {
        const input = event.target;
        if (event.key !== "Enter" || event.isComposing || !input.matches?.("[data-spec-form] input")) {
            return;
        }
        if (["submit", "button", "file"].includes(input.type)) {
            return;
        }
        // Browsers would press the first button of the form, such as one that adds a row.
        const submit = input.form.querySelector("[data-submit]");
        if (submit || input.type === "search") {
            event.preventDefault();
        }
        if (submit && input.type !== "search") {
            submit.click();
        }
    });

    // An error says nothing about what has changed since: it goes, and so does its line in the
    // summary. Fields that the server checks at once say by themselves what is still wrong.
    const ERRORS = ".is-invalid, .invalid-feedback";
    // Messages about a row of metadata, or about a file that was sent, go with these.
    const KEPT = ".metadata-row, .metadata-paste, .file";
    const blockOf = (part) => part.closest('[id^="div_id_"]') || part.closest(".rows");
    const forget = ({ target }) => {
        const block = target.closest?.("[data-spec-form]") && blockOf(target);
        if (!block || target.hasAttribute("hx-post")) {
            return;
        }
        const isRows = block.matches(".rows");
        for (const part of block.querySelectorAll(isRows ? ":scope > .invalid-feedback" : ERRORS)) {
            if (part.closest(KEPT)) {
                continue;
            }
            if (part.matches(".invalid-feedback")) {
                part.remove();
            } else {
                part.classList.remove("is-invalid");
                part.removeAttribute("aria-invalid");
            }
        }
        tidySummary();
    };
    const tidySummary = () => {
        for (const summary of document.querySelectorAll("[data-spec-form] .summary-of-errors")) {
            for (const line of summary.querySelectorAll("li")) {
                const field = document.getElementById(line.querySelector("a")?.hash.slice(1));
                const block = field && blockOf(field);
                if (block && !block.matches(ERRORS) && !block.querySelector(ERRORS)) {
                    line.remove();
                }
            }
            if (!summary.querySelector("li")) {
                summary.remove();
                announce(gettext("All listed problems have changed. Submit again."));
            }
        }
    };
    // To press a button ends the change of a field. What went at once would move the button away
    // from under the pointer, and the click would be lost: it goes when the pointer is up again.
    let isPressed = false;
    const waiting = [];
    document.addEventListener("pointerdown", () => {
        isPressed = true;
    });
    for (const name of ["pointerup", "pointercancel"]) {
        document.addEventListener(name, () => {
            isPressed = false;
            setTimeout(() => waiting.splice(0).forEach(forget));
        });
    }
    for (const name of ["change", "registrar:rows"]) {
        document.addEventListener(name, (event) => {
            if (isPressed) {
                waiting.push(event);
            } else {
                forget(event);
            }
        });
    }
    document.addEventListener("htmx:afterSettle", ({ detail }) => {
        // The answer to a whole form lists what is wrong anew.
        if (detail.requestConfig?.parameters?.live) {
            tidySummary();
        }
    });

    let isUnsaved = Boolean(document.querySelector("[data-spec-form] .summary-of-errors"));
    const note = (event) => {
        if (event.target.closest?.("[data-spec-form]") && !event.target.closest("[data-not-saved]")) {
            isUnsaved = true;
        }
    };
    for (const name of ["input", "change", "registrar:rows"]) {
        document.addEventListener(name, note);
    }
    document.addEventListener("submit", (event) => {
        if (!event.defaultPrevented) {
            isUnsaved = false;
        }
    });
    window.addEventListener("beforeunload", (event) => {
        if (isUnsaved) {
            event.preventDefault();
        }
    });
})();
