/* The permission picker: the list can be searched, and the sentence below follows each choice. */
(() => {
    "use strict";
    const listed = (names) =>
        names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

    const sentence = (picker) => {
        const may = picker.dataset.may;
        if (picker.querySelector(".permission-picker-public input").checked) {
            return `Every organisation of the consortium, also those that join later, can ${may}.`;
        }
        const boxes = [...picker.querySelectorAll(".permission-picker-private input:checked")];
        const names = boxes.map((box) => box.dataset.owner || box.value);
        return names.length ? `Only ${listed(names)} can ${may}.` : `Nobody can ${may}.`;
    };

    const say = (picker) => {
        picker.querySelector(".permission-picker-sentence").textContent = sentence(picker);
    };

    document.addEventListener("change", (event) => {
        const picker = event.target.closest?.(".permission-picker");
        if (picker) {
            say(picker);
        }
    });

    // What was ticked before this script was here, or by a browser that restores a page.
    for (const picker of document.querySelectorAll(".permission-picker")) {
        const boxes = [...picker.querySelectorAll("input[type=checkbox], input[type=radio]")];
        if (boxes.some((box) => box.checked !== box.defaultChecked)) {
            say(picker);
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
