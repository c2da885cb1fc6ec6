/* One file of an upload: its name, how much of it is sent, and what the server says of it. */
(() => {
    "use strict";
    const { announce, element } = window.registrar;
    const sizeOf = (bytes) => {
        const units = [gettext("bytes"), gettext("KB"), gettext("MB"), gettext("GB"), gettext("TB")];
        let value = bytes;
        let unit = 0;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit += 1;
        }
        const digits = unit ? 1 : 0;
        const number = value.toLocaleString(document.documentElement.lang, {
            minimumFractionDigits: digits,
            maximumFractionDigits: digits,
        });
        return `${number} ${units[unit]}`;
    };

    class Line {
        constructor(drop, name, size) {
            this.drop = drop;
            this.name = name;
            this.percent = element("span", { class: "size", "aria-hidden": "true" });
            this.progress = element("progress", {
                max: "100",
                value: "0",
                "aria-label": interpolate(gettext("Uploading %(name)s"), { name }, true),
            });
            this.cancelButton = element(
                "button",
                {
                    type: "button",
                    class: "btn btn-sm btn-plain",
                    "aria-label": interpolate(gettext("Cancel %(name)s"), { name }, true),
                },
                gettext("Cancel"),
            );
            this.cancelButton.addEventListener("click", () => this.cancel());
            this.line = element("div", { class: "file-line" }, element("span", {}, name));
            this.line.append(this.percent, this.cancelButton);
            this.item = element("li", { class: "file is-sending" }, this.line, this.progress);
            this.size = size;
            this.show(gettext("waiting"));
            drop.list.append(this.item);
        }

        show(state, share = 0) {
            this.progress.value = share * 100;
            this.percent.textContent = `${sizeOf(this.size)}, ${state}`;
        }

        cancel() {
            this.isCancelled = true;
            this.request?.abort();
            this.item.remove();
            this.drop.input.focus();
            announce(interpolate(gettext("Upload of %(name)s cancelled."), { name: this.name }, true));
            this.finish?.();
        }

        fail(text, retry) {
            this.item.className = "file has-problem";
            const again = element("button", { type: "button", class: "btn btn-sm btn-plain" }, gettext("Try again"));
            const remove = element(
                "button",
                { type: "button", class: "btn btn-sm btn-plain", "data-file-remove": "" },
                gettext("Remove"),
            );
            remove.setAttribute("aria-label", interpolate(gettext("Remove %(name)s"), { name: this.name }, true));
            if (retry) {
                again.addEventListener("click", retry);
            }
            const line = element("div", { class: "file-line" }, element("span", {}, this.name));
            line.append(element("span", { class: "size" }, sizeOf(this.size)), ...(retry ? [again] : []), remove);
            const problem = element("div", { class: "invalid-feedback", role: "alert" }, text);
            this.item.replaceChildren(line, problem);
        }

        answer(html) {
            this.item.insertAdjacentHTML("afterend", html);
            const answer = this.item.nextElementSibling;
            this.item.remove();
            window.htmx?.process(answer);
            if (!answer.matches(".has-problem")) {
                const advice = [...answer.querySelectorAll(".advice")].map((item) => item.textContent);
                const received = interpolate(gettext("%(name)s uploaded."), { name: this.name }, true);
                announce([received, ...advice].join(" "));
            }
        }
    }

    Object.assign(window.registrar, { Line, sizeOf });
})();
