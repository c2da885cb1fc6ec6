/* The theme, set before the page is drawn: as chosen on this device, else as the system has it. */
(() => {
    "use strict";
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const chosen = () => {
        try {
            return localStorage.getItem("theme");
        } catch {
            return null; // storage is switched off
        }
    };
    const apply = () => {
        const theme = chosen() || (dark.matches ? "dark" : "light");
        document.documentElement.dataset.bsTheme = theme;
        document.documentElement.dataset.themeChoice = chosen() || "auto";
    };

    dark.addEventListener("change", apply);
    addEventListener("storage", apply);
    document.addEventListener("registrar:theme", (event) => {
        try {
            if (event.detail === "auto") {
                localStorage.removeItem("theme");
            } else {
                localStorage.setItem("theme", event.detail);
            }
        } catch {
            document.documentElement.dataset.bsTheme = event.detail;
            return;
        }
        apply();
    });
    apply();
})();
