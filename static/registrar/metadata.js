/* Metadata as rows of key and value, in the place of a text area that holds it for the server. */
(() => {
    "use strict";
    const { announce, element } = window.registrar;

    // Pairs of key and value, as the server reads the text; null for what it does not understand.
    const readPairs = (text) => {
        if (text.trim().startsWith("{")) {
            try {
                const pairs = Object.entries(JSON.parse(text));
                return pairs.every(([, value]) => typeof value === "string") ? pairs : null;
            } catch {
                return null;
            }
        }
        const lines = text.split("\n").filter((line) => line.trim());
        if (!lines.every((line) => line.includes(":"))) {
            return null;
        }
        return lines.map((line) => {
            const [key, ...rest] = line.split(":");
            return [key.trim(), rest.join(":").trim()];
        });
    };

    const writePairs = (pairs) => {
        const keys = new Set(pairs.map(([key]) => key));
        if (keys.size < pairs.length) {
            // JSON would lose one of two equal keys; of lines, the server says which is twice.
            return pairs.map(([key, value]) => `${key}: ${value}`).join("\n");
        }
        return pairs.length ? JSON.stringify(Object.fromEntries(pairs)) : "";
    };

    const field = (tag, placeholder, label, attributes = {}) =>
        element(tag, {
            class: "form-control form-control-sm",
            "aria-label": label,
            placeholder,
            autocomplete: "off",
            ...attributes,
        });
    const FIELDS = "input, textarea";
    const button = (text, className, attributes = {}) =>
        element("button", { type: "button", class: `btn btn-sm ${className}`, ...attributes }, text);

    class MetadataEditor {
        constructor(textarea, pairs) {
            this.textarea = textarea;
            this.written = new WeakMap();
            this.last = textarea.value;
            const label = document.querySelector(`label[for="${textarea.id}"]`);
            const described = textarea.getAttribute("aria-describedby");
            this.rows = element("div", { class: "metadata-rows" });
            this.addButton = button(gettext("Add entry"), "btn-plain");
            this.pasteButton = button(gettext("Paste JSON"), "btn-plain", { "aria-expanded": "false" });
            this.paste = this.makePaste();
            this.box = element(
                "div",
                {
                    class: `metadata-editor${textarea.matches(".is-invalid") ? " is-invalid" : ""}`,
                    role: "group",
                    "aria-label": label?.textContent.trim() || gettext("Metadata"),
                    ...(described ? { "aria-describedby": described } : {}),
                },
                this.rows,
                element("div", { class: "metadata-tools" }, this.addButton, this.pasteButton),
                this.paste,
            );
            textarea.before(this.box);
            textarea.hidden = true;
            textarea.dataset.edited = "yes";
            const help = document.getElementById(`${textarea.id}_helptext`);
            if (help) {
                help.textContent =
                    gettext(
                    'Up to 100 characters each. Keys cannot contain "__". Press Shift+Enter for a new line in a value.',
                );
            }
            label?.addEventListener("click", () => this.rows.querySelector("input")?.focus());
            this.fill(pairs);
            this.listen();
        }

        makePaste() {
            this.pasted = element("textarea", {
                class: "form-control mono",
                rows: "4",
                "aria-label": gettext("Metadata as JSON"),
                placeholder: '{"modality": "MRI", "site": "Paris"}',
                "data-not-saved": "",
            });
            this.pasteError = element("div", { class: "invalid-feedback", role: "alert" });
            this.useButton = button(gettext("Fill in"), "btn-primary");
            this.closeButton = button(gettext("Close"), "btn-plain");
            const tools = element("div", { class: "metadata-tools" }, this.useButton, this.closeButton);
            const box = element("div", { class: "metadata-paste" }, this.pasted, this.pasteError, tools);
            box.hidden = true;
            return box;
        }

        addRow(key = "", value = "") {
            const place = this.rows.children.length + 1;
            const row = element(
                "div",
                { class: "metadata-row" },
                field("input", gettext("key"), interpolate(gettext("Key %(number)s"), { number: place }, true)),
                // Values may have several lines: Shift and Enter begins another one.
                field("textarea", gettext("value"), interpolate(gettext("Value %(number)s"), { number: place }, true), {
                    rows: String(Math.min(value.split("\n").length, 6)),
                    "data-not-saved": "",
                }),
                button("×", "btn-plain", {
                    "aria-label": interpolate(gettext("Remove entry %(number)s"), { number: place }, true),
                    "data-remove": "",
                }),
                element("div", { class: "invalid-feedback", role: "alert" }),
            );
            const [first, second] = row.querySelectorAll(FIELDS);
            first.value = key;
            second.value = value;
            this.written.set(first, { text: key, shown: first.value });
            this.written.set(second, { text: value, shown: second.value });
            this.rows.append(row);
            return first;
        }

        fill(pairs) {
            this.rows.replaceChildren();
            for (const [key, value] of pairs) {
                this.addRow(key, value);
            }
            if (!pairs.length) {
                this.addRow();
            }
            this.check();
        }

        // What was given stays as it was until somebody changes it: browsers show texts with other
        // line breaks, and spaces around one are only a slip where they are typed.
        textOf(field) {
            const given = this.written.get(field);
            return given?.shown === field.value ? given.text : field.value.trim();
        }

        pairs() {
            return [...this.rows.children]
                .map((row) => [...row.querySelectorAll(FIELDS)].map((field) => this.textOf(field)))
                .filter(([key, value]) => key || value);
        }

        check() {
            const seen = new Set();
            for (const row of this.rows.children) {
                const input = row.querySelector("input");
                const key = input.value.trim();
                const isTwice = Boolean(key) && seen.has(key);
                seen.add(key);
                input.classList.toggle("is-invalid", isTwice);
                input.toggleAttribute("aria-invalid", isTwice);
                row.querySelector(".invalid-feedback").textContent = isTwice
                    ? interpolate(gettext("The key “%(key)s” is already used. Remove one of the two."), { key }, true)
                    : "";
            }
        }

        write() {
            this.check();
            this.textarea.value = writePairs(this.pairs());
        }

        // The live check waits until one leaves the editor: its answer replaces all of it.
        notifyChange() {
            if (this.textarea.value !== this.last) {
                this.last = this.textarea.value;
                this.textarea.dispatchEvent(new Event("change", { bubbles: true }));
            }
        }

        usePasted() {
            let found = null;
            try {
                found = JSON.parse(this.pasted.value);
            } catch (error) {
                this.pasteError.textContent = interpolate(gettext("This is not valid JSON: %(error)s."), { error: error.message }, true);
            }
            if (found === null || typeof found !== "object" || Array.isArray(found)) {
                this.pasteError.textContent ||= gettext('Paste an object such as {"modality": "MRI"}.');
                this.pasted.focus();
                return;
            }
            const texts = Object.entries(found).map(([key, value]) => [
                key,
                typeof value === "string" ? value : JSON.stringify(value),
            ]);
            this.fill(texts);
            this.write();
            this.togglePaste(false);
            const message = ngettext("%(count)s entry filled in.", "%(count)s entries filled in.", texts.length);
            announce(interpolate(message, { count: texts.length }, true));
        }

        togglePaste(isOpen) {
            this.paste.hidden = !isOpen;
            this.pasteButton.setAttribute("aria-expanded", String(isOpen));
            this.pasteError.textContent = "";
            if (isOpen) {
                this.pasted.value = JSON.stringify(Object.fromEntries(this.pairs()), null, 2);
                this.pasted.focus();
                this.pasted.select();
            } else {
                this.pasteButton.focus();
            }
        }

        removeRow(row) {
            const next = row.nextElementSibling || row.previousElementSibling;
            row.remove();
            if (!this.rows.children.length) {
                this.addRow();
            }
            this.write();
            (next?.querySelector("input") || this.rows.querySelector("input")).focus();
            announce(gettext("Entry removed."));
        }

        listen() {
            this.addButton.addEventListener("click", () => this.addRow().focus());
            this.pasteButton.addEventListener("click", () => this.togglePaste(this.paste.hidden));
            this.closeButton.addEventListener("click", () => this.togglePaste(false));
            this.useButton.addEventListener("click", () => this.usePasted());
            this.rows.addEventListener("input", () => this.write());
            this.rows.addEventListener("click", (event) => {
                if (event.target.closest("[data-remove]")) {
                    this.removeRow(event.target.closest(".metadata-row"));
                }
            });
            this.rows.addEventListener("keydown", (event) => {
                if (event.key === "Enter" && !event.shiftKey && event.target.matches(FIELDS)) {
                    event.preventDefault();
                    event.stopPropagation();
                    const row = event.target.closest(".metadata-row");
                    (row.nextElementSibling?.querySelector("input") || this.addRow()).focus();
                }
            });
            this.box.addEventListener("focusout", (event) => {
                if (!this.box.contains(event.relatedTarget)) {
                    this.notifyChange();
                }
            });
        }
    }

    const editMetadata = (root) => {
        const areas = root.querySelectorAll("textarea[name$='metadata'], textarea[data-metadata]");
        for (const textarea of areas) {
            const pairs = textarea.dataset.edited ? null : readPairs(textarea.value);
            // What cannot be shown as rows stays a text, so that none of it is lost.
            if (pairs) {
                new MetadataEditor(textarea, pairs);
            }
        }
    };
    editMetadata(document);
    document.addEventListener("htmx:load", (event) => {
        if (event.detail.elt !== document.body) {
            editMetadata(event.detail.elt.parentElement || event.detail.elt);
        }
    });
    document.addEventListener("registrar:rows", (event) => editMetadata(event.target));
    document.addEventListener("htmx:beforeSwap", (event) => {
        // The answer about what one is typing in again already would take it away.
        const editor = event.detail.target?.querySelector?.(".metadata-editor");
        if (editor?.contains(document.activeElement)) {
            event.detail.shouldSwap = false;
        }
    });
})();
