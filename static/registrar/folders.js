/* Folders become archives here, one for each subfolder; `uploads.js` sends them. */
(() => {
    "use strict";
    // Which files are hidden: names in lower case, how names begin, and exceptions that are shown.
    // The page has the list of the server (assets/common/files/hidden.py).
    const HIDDEN = JSON.parse(document.getElementById("hidden-names").textContent);
    // Of a zip without the extension for more.
    const MAX_ENTRIES = 65535;
    const MAX_ZIP = 0xffffffff;

    // --- Zip archives, without compression ------------------------------------------------------

    const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
        let value = index;
        for (let bit = 0; bit < 8; bit += 1) {
            value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
        }
        return value;
    });

    // A piece at a time: a file may be larger than the memory.
    const crcOf = async (file, onRead) => {
        let crc = 0xffffffff;
        const reader = file.stream().getReader();
        for (;;) {
            const { done, value } = await reader.read();
            if (done) {
                return (crc ^ 0xffffffff) >>> 0;
            }
            for (let index = 0; index < value.length; index += 1) {
                crc = CRC_TABLE[(crc ^ value[index]) & 0xff] ^ (crc >>> 8);
            }
            if (!onRead(value.length)) {
                await reader.cancel();
                throw new DOMException("cancelled", "AbortError");
            }
        }
    };

    const dosTime = (milliseconds) => {
        const when = new Date(Math.max(milliseconds, Date.UTC(1980, 0, 2)));
        const time = (when.getHours() << 11) | (when.getMinutes() << 5) | (when.getSeconds() >> 1);
        const day = ((when.getFullYear() - 1980) << 9) | ((when.getMonth() + 1) << 5) | when.getDate();
        return [time, day];
    };

    // Fields are [bytes, value]: 2 or 4 bytes, the lowest first.
    const record = (fields, name = new Uint8Array()) => {
        const view = new DataView(new ArrayBuffer(fields.reduce((sum, [bytes]) => sum + bytes, 0)));
        let at = 0;
        for (const [bytes, value] of fields) {
            (bytes === 4 ? view.setUint32 : view.setUint16).call(view, at, value, true);
            at += bytes;
        }
        return new Blob([view.buffer, name]);
    };

    const UTF8 = 0x800;
    const zipOf = async (entries, onRead) => {
        const parts = [];
        const directory = [];
        let offset = 0;
        for (const { path, file } of entries) {
            const name = new TextEncoder().encode(path);
            const crc = await crcOf(file, onRead);
            const [time, day] = dosTime(file.lastModified);
            const common = [
                [2, 20], [2, UTF8], [2, 0], [2, time], [2, day],
                [4, crc], [4, file.size], [4, file.size], [2, name.length], [2, 0],
            ];
            const header = record([[4, 0x04034b50], ...common], name);
            parts.push(header, file);
            directory.push(
                record(
                    [[4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]],
                    name,
                ),
            );
            offset += header.size + file.size;
        }
        const size = directory.reduce((sum, part) => sum + part.size, 0);
        const end = record([
            [4, 0x06054b50], [2, 0], [2, 0], [2, entries.length], [2, entries.length],
            [4, size], [4, offset], [2, 0],
        ]);
        return new Blob([...parts, ...directory, end], { type: "application/zip" });
    };

    // --- Folders --------------------------------------------------------------------------------

    const isHidden = (name) => {
        const lower = name.toLowerCase();
        const isNamed = HIDDEN.names.includes(lower) || HIDDEN.starts.some((start) => lower.startsWith(start));
        return isNamed && !HIDDEN.shown.includes(lower);
    };
    // The first hidden name on the way to a file, if there is one.
    const hiddenIn = (path) => path.split("/").find(isHidden);

    const MAX_NAMED = 3;
    const describeHidden = (names) => {
        const different = [...new Set(names)];
        const more = different.length > MAX_NAMED ? ", …" : "";
        const message = ngettext("%(count)s hidden file", "%(count)s hidden files", names.length);
        const files = interpolate(message, { count: names.length }, true);
        return `${files} (${different.slice(0, MAX_NAMED).join(", ")}${more})`;
    };

    // One sample for each subfolder with files; a folder that has none of those is one itself.
    const samplesOf = (folder, files, emptyFolders = []) => {
        const kept = files.filter(({ path }) => !hiddenIn(path));
        const groups = new Map();
        const loose = [];
        for (const { path, file } of kept) {
            const [first, ...rest] = path.split("/");
            if (rest.length) {
                groups.set(first, [...(groups.get(first) || []), { path: rest.join("/"), file }]);
            } else {
                loose.push({ path, file });
            }
        }
        const skipped = [];
        const hidden = files.map(({ path }) => hiddenIn(path)).filter(Boolean);
        if (hidden.length) {
            skipped.push(describeHidden(hidden));
        }
        const empty = emptyFolders.filter((name) => !hiddenIn(name) && !groups.has(name.split("/")[0]));
        if (empty.length) {
            const message = ngettext("empty folder %(names)s", "empty folders %(names)s", empty.length);
            skipped.push(interpolate(message, { names: empty.join(", ") }, true));
        }
        if (!groups.size) {
            const one = loose.length ? [{ name: folder, entries: loose }] : [];
            return { samples: one, skipped };
        }
        if (loose.length) {
            const message = ngettext(
                "%(count)s file beside the subfolders",
                "%(count)s files beside the subfolders",
                loose.length,
            );
            skipped.push(interpolate(message, { count: loose.length }, true));
        }
        const samples = [...groups].map(([name, entries]) => ({ name, entries }));
        samples.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
        return { samples, skipped };
    };

    const readEntries = (entry) =>
        new Promise((resolve, reject) => {
            const reader = entry.createReader();
            const found = [];
            const more = () =>
                reader.readEntries((entries) => {
                    if (entries.length) {
                        found.push(...entries);
                        more();
                    } else {
                        resolve(found);
                    }
                }, reject);
            more();
        });

    // Everything below a folder that was dropped, and the folders below it that hold nothing.
    const walk = async (folder, prefix = "") => {
        const files = [];
        const empty = [];
        for (const entry of await readEntries(folder)) {
            const path = `${prefix}${entry.name}`;
            if (entry.isDirectory) {
                const below = await walk(entry, `${path}/`);
                files.push(...below.files);
                empty.push(...(below.files.length ? below.empty : [path]));
            } else {
                const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
                files.push({ path, file });
            }
        }
        return { files, empty };
    };

    const chosenFolders = (list) => {
        const folders = new Map();
        for (const file of list) {
            const [folder, ...rest] = (file.webkitRelativePath || file.name).split("/");
            folders.set(folder, [...(folders.get(folder) || []), { path: rest.join("/"), file }]);
        }
        return folders;
    };

    window.registrar.folders = { zipOf, samplesOf, walk, chosenFolders, MAX_ENTRIES, MAX_ZIP };
})();
