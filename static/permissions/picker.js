/* The permission picker: searches the list, and updates the sentence at each choice. */
(() => {
    "use strict";
    const listed = (names, and) =>
        names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} ${and} ${names.at(-1)}`;

    const sentence = (picker) => {
        if (picker.querySelector(".permission-picker-public input").checked) {
            return picker.dataset.public;
        }
        const boxes = [...picker.querySelectorAll(".permission-picker-private input:checked")];
        const names = boxes.map((box) => box.dataset.owner || box.value);
        return names.length
            ? picker.dataset.only.replace("{names}", () => listed(names, picker.dataset.and))
            : picker.dataset.none;
    };

    const update = (picker) => {
        picker.querySelector(".permission-picker-sentence").textContent = sentence(picker);
    };

    document.addEventListener("change", (event) => {
        const picker = event.target.closest?.(".permission-picker");
        if (picker) {
            update(picker);
        }
    });

    // Boxes may have changed before the script ran, or when the browser restored the page.
    for (const picker of document.querySelectorAll(".permission-picker")) {
        const boxes = [...picker.querySelectorAll("input[type=checkbox], input[type=radio]")];
        if (boxes.some((box) => box.checked !== box.defaultChecked)) {
            update(picker);
        }
    }

    document.addEventListener("input", (event) => {
        if (event.target.matches?.(".permission-picker-search")) {
            const term = event.target.value.toLowerCase();
            for (const item of event.target.parentElement.querySelectorAll("li")) {
                item.hidden = !item.textContent.toLowerCase().includes(term);
            }
        }
    });
})();
