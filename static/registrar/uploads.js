/* Files are sent as soon as they are chosen or dropped; the form then names what was accepted. */
(() => {
    "use strict";
    const { zipOf, samplesOf, walk, chosenFolders, MAX_ENTRIES, MAX_ZIP } = window.registrar.folders;
    const { Line, announce, element, sizeOf } = window.registrar;
    const AT_ONCE = 2;

    // --- A field that takes files ---------------------------------------------------------------

    const queue = [];
    let running = 0;

    // The form is not sent while a file is on its way.
    const showBusy = () => {
        const waiting = running + queue.length;
        for (const form of document.querySelectorAll("[data-spec-form]")) {
            for (const button of form.querySelectorAll("button[name=action]:not([data-add-row])")) {
                button.disabled = waiting > 0;
            }
            const note = form.querySelector("[data-progress-note]");
            if (note) {
                const message = ngettext(
                    "Wait until %(count)s file is uploaded.",
                    "Wait until %(count)s files are uploaded.",
                    waiting,
                );
                note.textContent = waiting ? interpolate(message, { count: waiting }, true) : "";
            }
        }
    };

    const next = async () => {
        while (running < AT_ONCE && queue.length) {
            const job = queue.shift();
            running += 1;
            job().finally(() => {
                running -= 1;
                showBusy();
                next();
            });
        }
        showBusy();
    };
    const enqueue = (job) => {
        queue.push(job);
        next();
    };

    const WRONG = {
        413: gettext("This file is too large for the server. Ask its administrator."),
        403: gettext("The server did not accept this file. Reload the page and choose the file again."),
    };

    class Drop {
        constructor(box) {
            this.box = box;
            box.dataset.ready = "yes";
            this.input = box.querySelector("input[type=file]");
            this.list = box.querySelector(".file-list");
            this.isMany = "many" in box.dataset;
            this.takesFolders = "folders" in box.dataset;
            this.limit = Number(box.dataset.maxSize) || Infinity;
            this.lines = new Set();
            this.addHints();
            this.listen();
            // Chosen before this script was here, or by a browser that restores a page.
            this.takeChosen();
        }

        addHints() {
            const many = this.isMany ? gettext("or drop files here") : gettext("or drop a file here");
            const text = this.takesFolders
                ? gettext("or drop files or folders here; each subfolder of a folder is one item")
                : many;
            const hint = element("p", { class: "drop-hint" }, text);
            this.input.after(hint);
            this.note = element("p", { class: "drop-note", role: "status" });
            this.list.before(this.note);
            if (this.takesFolders) {
                this.folderInput = element("input", { type: "file", webkitdirectory: "", hidden: "" });
                const button = element("button", { type: "button", class: "btn btn-sm btn-plain" }, gettext("Choose a folder"));
                button.addEventListener("click", () => this.folderInput.click());
                hint.prepend(button, " ");
                this.box.append(this.folderInput);
            }
        }

        listen() {
            this.input.addEventListener("change", () => this.takeChosen());
            this.folderInput?.addEventListener("change", () => {
                const folders = chosenFolders(this.folderInput.files);
                this.folderInput.value = "";
                this.note.textContent = "";
                for (const [name, files] of folders) {
                    this.takeFolder(name, files);
                }
            });
            for (const name of ["dragenter", "dragover"]) {
                this.box.addEventListener(name, (event) => {
                    event.preventDefault();
                    this.box.classList.add("is-over");
                });
            }
            this.box.addEventListener("dragleave", (event) => {
                if (!this.box.contains(event.relatedTarget)) {
                    this.box.classList.remove("is-over");
                }
            });
            this.box.addEventListener("drop", (event) => {
                event.preventDefault();
                this.box.classList.remove("is-over");
                this.takeDropped(event.dataTransfer);
            });
            this.list.addEventListener("click", (event) => {
                const item = event.target.closest("[data-file-remove]")?.closest("li");
                if (item) {
                    item.remove();
                    this.input.focus();
                    this.changed();
                    announce(gettext("File removed."));
                }
            });
        }

        takeChosen() {
            const files = [...this.input.files];
            if (files.length) {
                // What is sent ahead is not sent with the form again.
                this.input.value = "";
                this.takeAll(files);
            }
        }

        changed() {
            this.box.dispatchEvent(new Event("input", { bubbles: true }));
        }

        async takeDropped(transfer) {
            const items = [...transfer.items].filter((item) => item.kind === "file");
            // Both are gone as soon as this function waits for something.
            const entries = items.map((item) => item.webkitGetAsEntry?.());
            const files = [...transfer.files].filter((_, index) => !entries[index]?.isDirectory);
            const folders = entries.filter((entry) => entry?.isDirectory);
            this.takeAll(files);
            if (folders.length && !this.takesFolders) {
                this.note.textContent = gettext("Choose files, not folders.");
                return;
            }
            for (const folder of folders) {
                try {
                    const found = await walk(folder);
                    this.takeFolder(folder.name, found.files, found.empty);
                } catch {
                    const message = gettext("The folder %(name)s cannot be read.");
                    this.note.textContent = interpolate(message, { name: folder.name }, true);
                }
            }
        }

        takeAll(files) {
            this.note.textContent = "";
            const taken = this.isMany ? files : files.slice(0, 1);
            if (files.length > taken.length) {
                const message = gettext("Only one file is allowed. %(name)s was used.");
                this.note.textContent = interpolate(message, { name: taken[0].name }, true);
            }
            for (const file of taken) {
                this.begin(file.name, file.size, async () => file);
            }
        }

        takeFolder(folder, files, empty) {
            const { samples, skipped } = samplesOf(folder, files, empty);
            const notes = [this.note.textContent];
            if (!samples.length) {
                notes.push(interpolate(gettext("The folder %(name)s has no files."), { name: folder }, true));
            }
            if (skipped.length) {
                notes.push(interpolate(gettext("Skipped: %(items)s."), { items: skipped.join("; ") }, true));
            }
            this.note.textContent = notes.filter(Boolean).join(" ");
            for (const { name, entries } of samples) {
                entries.sort((one, other) => (one.path < other.path ? -1 : 1));
                const size = entries.reduce((sum, { file }) => sum + file.size, 0);
                this.begin(`${name}.zip`, size, (line) => this.pack(name, entries, size, line));
            }
        }

        async pack(name, entries, size, line) {
            if (entries.length > MAX_ENTRIES || size > MAX_ZIP) {
                throw new Error(gettext("This folder is too large to pack in the browser. Pack it as .tar.gz and choose that file."));
            }
            let read = 0;
            const blob = await zipOf(entries, (bytes) => {
                read += bytes;
                line.show(gettext("packing"), size ? read / size : 1);
                return !line.isCancelled;
            });
            return new File([blob], `${name}.zip`, { type: "application/zip" });
        }

        begin(name, size, make) {
            if (!this.isMany) {
                for (const line of this.lines) {
                    line.cancel();
                }
                this.list.replaceChildren();
            }
            this.forgetErrors();
            this.changed();
            const line = new Line(this, name, size);
            if (size > this.limit) {
                line.fail(interpolate(
                        gettext("File too large: %(size)s. The limit is %(limit)s."),
                        { size: sizeOf(size), limit: this.box.dataset.maxSizeText },
                        true,
                    ));
                return;
            }
            this.lines.add(line);
            enqueue(() => this.work(line, make));
        }

        // An error about what was sent before says nothing about what is chosen now.
        forgetErrors() {
            this.box.classList.remove("is-invalid");
            this.input.classList.remove("is-invalid");
            this.input.removeAttribute("aria-invalid");
            for (const feedback of this.box.parentElement.querySelectorAll(":scope > .invalid-feedback")) {
                feedback.remove();
            }
        }

        async work(line, make) {
            try {
                const file = line.isCancelled ? null : await make(line);
                if (!line.isCancelled) {
                    await this.send(line, file);
                }
            } catch (error) {
                if (!line.isCancelled) {
                    const isReading = error instanceof DOMException;
                    line.fail(isReading ? gettext("This file cannot be read. Choose it again.") : error.message);
                }
            } finally {
                this.lines.delete(line);
            }
        }

        send(line, file) {
            return new Promise((resolve) => {
                const request = new XMLHttpRequest();
                line.request = request;
                line.finish = resolve;
                const retry = () => {
                    line.item.remove();
                    this.begin(line.name, line.size, async () => file);
                };
                request.upload.addEventListener("progress", (event) => {
                    if (event.lengthComputable) {
                        const share = event.loaded / event.total;
                        line.show(share < 1 ? `${Math.floor(share * 100)} %` : gettext("checking"), share);
                    }
                });
                request.addEventListener("load", () => {
                    const html = request.responseText.trim();
                    if ([200, 422, 503, 507].includes(request.status) && html.startsWith("<li")) {
                        line.answer(html);
                    } else {
                        line.fail(this.whyNot(request), retry);
                    }
                    resolve();
                });
                request.addEventListener("error", () => {
                    line.fail(gettext("The connection was lost. Check your network and try again."), retry);
                    resolve();
                });
                request.addEventListener("abort", resolve);
                const body = new FormData();
                body.append("field", this.box.dataset.field);
                body.append("file", file, file.name);
                request.open("POST", this.box.dataset.uploadUrl);
                const token = this.box.closest("form").querySelector("[name=csrfmiddlewaretoken]");
                request.setRequestHeader("X-CSRFToken", token.value);
                request.send(body);
                line.show("0 %");
            });
        }

        whyNot(request) {
            if (request.responseURL.includes("/sign-in/")) {
                return gettext("You are signed out. Sign in again in another tab, then try again.");
            }
            return WRONG[request.status] || interpolate(gettext("The upload failed (status %(status)s)."), { status: request.status }, true);
        }
    }

    const begin = (root) => {
        for (const box of root.querySelectorAll(".drop[data-upload-url]:not([data-ready])")) {
            new Drop(box);
        }
    };
    begin(document);
    document.addEventListener("htmx:load", (event) => begin(event.detail.elt.parentElement || document));
    document.addEventListener("submit", (event) => {
        if (event.target.matches("[data-spec-form]") && running + queue.length) {
            event.preventDefault();
        }
    }, true);
    // A file that misses the field is not opened in the place of the page.
    for (const name of ["dragover", "drop"]) {
        document.addEventListener(name, (event) => {
            if (document.querySelector(".drop[data-ready]") && !event.target.closest?.(".drop")) {
                event.preventDefault();
            }
        });
    }
})();
