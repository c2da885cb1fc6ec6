/* The plan editor: keeps the focus and typed text when a part of the page is replaced. */
(() => {
    "use strict";
    // Radio buttons and check boxes have no id by which htmx could find them again.
    let last = null;

    document.addEventListener("htmx:beforeSwap", () => {
        const { name, value, type } = document.activeElement || {};
        last = name && ["radio", "checkbox"].includes(type) ? { name, value } : null;
    });

    document.addEventListener("htmx:afterSettle", (event) => {
        if (event.target.id !== "builder") {
            return;
        }
        const focused = document.querySelector("form [data-focus]");
        if (focused) {
            focused.focus();
            focused.scrollIntoView({ block: "nearest" });
        } else if (last) {
            const again = [...document.getElementsByName(last.name)];
            again.find((element) => element.value === last.value)?.focus({ preventScroll: true });
        }
    });

    // Text typed while a request runs is not in its answer, so it is restored.
    const typed = new Map();
    document.addEventListener("htmx:beforeRequest", ({ detail }) => {
        if (detail.target.id === "builder") {
            typed.clear();
        }
    });
    document.addEventListener("input", ({ target }) => {
        if (target.matches("#builder textarea, #plan-fields textarea, #plan-fields input")) {
            typed.set(target.name, target.value);
        }
    });
    document.addEventListener("htmx:afterSettle", () => {
        for (const [name, value] of typed) {
            for (const field of document.getElementsByName(name)) {
                field.value = value;
            }
        }
    });

    // Checks all boxes of a picker without a request, if the page has all of them.
    document.addEventListener(
        "click",
        (event) => {
            const button = event.target.closest?.(".builder-ticks button");
            const [action, name] = button?.value.split(":") ?? [];
            const picker = button && document.getElementById(`id_task-${name}`);
            if (!picker || picker.querySelector(".picker-note")) {
                return;
            }
            event.preventDefault();
            event.stopPropagation();
            for (const box of picker.querySelectorAll("input[type=checkbox]")) {
                box.checked = action === "all";
            }
        },
        true,
    );

    // A click chooses a function at once. With arrow keys, which pass other functions, Enter does.
    const choose = () => document.querySelector("#builder button[value=choose]")?.click();
    document.addEventListener("click", (event) => {
        if (event.detail && event.target.matches?.("[data-choose-at-once] input[type=radio]")) {
            choose();
        }
    });

    // Enter in the open task adds it to the draft; elsewhere it presses the first `data-submit`.
    document.addEventListener(
        "keydown",
        (event) => {
            const input = event.target;
            const isOurs = event.key === "Enter" && input.matches?.("#builder input");
            if (!isOurs || input.type === "search" || input.closest(".metadata-row")) {
                return;
            }
            const put = document.querySelector("#open-task [data-put]");
            if (input.matches("[data-choose-at-once] input")) {
                choose();
            } else if (put && input.closest("#open-task")) {
                put.click();
            } else {
                return;
            }
            event.preventDefault();
            event.stopPropagation();
        },
        true,
    );
})();
