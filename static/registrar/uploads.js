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
                const files = waiting === 1 ? "a file is" : `${waiting} files are`;
                note.textContent = waiting ? `Wait until ${files} sent.` : "";
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
        413: "The server takes no file as large as this one. Ask its administrator.",
        403: "The server did not accept it. Load the page again, then choose the file again.",
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
            this.dress();
            this.listen();
            // Chosen before this script was here, or by a browser that restores a page.
            this.takeChosen();
        }

        dress() {
            const what = this.isMany ? "files" : "a file";
            const folders = this.takesFolders ? "or folders " : "";
            const each = this.takesFolders ? "; of a folder, each subfolder is one" : "";
            const hint = element("p", { class: "drop-hint" }, `or drop ${what} ${folders}here${each}`);
            this.input.after(hint);
            this.note = element("p", { class: "drop-note", role: "status" });
            this.list.before(this.note);
            if (this.takesFolders) {
                this.folderInput = element("input", { type: "file", webkitdirectory: "", hidden: "" });
                const button = element("button", { type: "button", class: "btn btn-sm btn-plain" }, "Choose a folder");
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
                    announce("Removed the file.");
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
                this.note.textContent = "This takes files, no folders.";
                return;
            }
            for (const folder of folders) {
                try {
                    const found = await walk(folder);
                    this.takeFolder(folder.name, found.files, found.empty);
                } catch {
                    this.note.textContent = `The folder ${folder.name} cannot be read.`;
                }
            }
        }

        takeAll(files) {
            this.note.textContent = "";
            const taken = this.isMany ? files : files.slice(0, 1);
            if (files.length > taken.length) {
                this.note.textContent = `One file is enough here: ${taken[0].name} was taken.`;
            }
            for (const file of taken) {
                this.begin(file.name, file.size, async () => file);
            }
        }

        takeFolder(folder, files, empty) {
            const { samples, said } = samplesOf(folder, files, empty);
            const notes = [this.note.textContent];
            if (!samples.length) {
                notes.push(`The folder ${folder} holds no files.`);
            }
            if (said.length) {
                notes.push(`Left out: ${said.join("; ")}.`);
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
                throw new Error("Too much for one archive made here. Pack it as .tar.gz yourself and choose that.");
            }
            let read = 0;
            const blob = await zipOf(entries, (bytes) => {
                read += bytes;
                line.say("being packed", size ? read / size : 1);
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
                line.fail(`File too large: ${sizeOf(size)}, at most ${this.box.dataset.maxSizeText}.`);
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
                    line.fail(isReading ? "It cannot be read. Choose it again." : error.message);
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
                        line.say(share < 1 ? `${Math.floor(share * 100)} %` : "being checked", share);
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
                    line.fail("The connection broke off. See whether you are online, then try again.", retry);
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
                line.say("0 %");
            });
        }

        whyNot(request) {
            if (request.responseURL.includes("/sign-in/")) {
                return "You are signed out. Sign in again in another tab, then try again.";
            }
            return WRONG[request.status] || `The server could not take it (status ${request.status}).`;
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
