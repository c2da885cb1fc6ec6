/* Moments, which the server writes in UTC, in the time zone of who looks.

   The script comes before the page and rewrites each as it arrives, before it is drawn: nothing
   moves. A recent moment is shown by its age, with the moment itself in the tooltip; one that is
   `data-exact`, or older, the other way round. Who listens to the page is read the UTC time. */
(() => {
    "use strict";
    const MOMENT = "time.moment";
    const MINUTE = 60;
    const DAY = 24 * 60 * MINUTE;
    const RECENT = 30 * DAY;
    const UNITS = [
        ["year", 365.25 * DAY],
        ["month", 30.44 * DAY],
        ["day", DAY],
        ["hour", 60 * MINUTE],
        ["minute", MINUTE],
    ];

    const format = (locale) =>
        new Intl.DateTimeFormat(locale, {
            year: "numeric",
            month: "2-digit",
            day: "2-digit",
            hour: "2-digit",
            minute: "2-digit",
            second: "2-digit",
            hourCycle: "h23",
            timeZoneName: "short",
        });
    const partsOf = (formatter, when) =>
        Object.fromEntries(formatter.formatToParts(when).map(({ type, value }) => [type, value]));

    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
    // English has short names for a zone where it is spoken: "CET" in Europe, "EST" in America.
    const formatters = ["en-GB", "en-US", "en-AU", "en-IN", "en-ZA"].map(format);
    const hasName = (formatter) => !/[+-]\d/.test(partsOf(formatter, Date.now()).timeZoneName);
    const formatter = formatters.find(hasName) || formatters[0];
    const ages = new Intl.RelativeTimeFormat(document.documentElement.lang || "en");

    const localTime = (when) => {
        const { year, month, day, hour, minute, second, timeZoneName } = partsOf(formatter, when);
        return `${year}-${month}-${day} ${hour}:${minute}:${second} ${timeZoneName}`;
    };
    const ageOf = (seconds) => {
        const size = Math.abs(seconds);
        const [unit, length] = UNITS.find(([, least]) => size >= least) || [];
        return unit ? ages.format(Math.trunc(seconds / length), unit) : gettext("just now");
    };

    const span = (text, attribute, value) => {
        const made = document.createElement("span");
        made.setAttribute(attribute, value);
        made.textContent = text;
        return made;
    };
    const isShown = (time) => time.childElementCount === 2 && time.childNodes.length === 2;
    const show = (time) => {
        const when = new Date(time.dateTime);
        if (Number.isNaN(when.valueOf())) {
            return;
        }
        const seconds = (when - Date.now()) / 1000;
        const age = ageOf(seconds);
        const local = localTime(when);
        const utc = `${time.dateTime.replace("T", " ").replace("Z", "")} UTC`;
        const isExact = "exact" in time.dataset || Math.abs(seconds) > RECENT;
        const text = isExact ? local : age;
        if (isShown(time) && time.firstChild.textContent === text) {
            return;
        }
        time.title = [isExact ? age : local, local === utc ? "" : utc].filter(Boolean).join(", ");
        time.replaceChildren(
            span(text, "aria-hidden", "true"),
            span(utc, "class", "visually-hidden"),
        );
    };

    // A day that one asks for is one of the viewer's zone, unless the address says which it is.
    const setZone = (input) => {
        const form = input.closest("form");
        const days = [...form.querySelectorAll("input[type=date]")];
        if (days.some((day) => day.getAttribute("value"))) {
            return;
        }
        input.value = zone;
        for (const note of form.querySelectorAll("[data-zone-note]")) {
            note.remove();
        }
    };

    const findAll = (root) => {
        for (const [selector, rewrite] of [
            [MOMENT, show],
            ["[data-time-zone]", setZone],
        ]) {
            if (root.matches?.(selector)) {
                rewrite(root);
            }
            root.querySelectorAll(selector).forEach(rewrite);
        }
    };
    new MutationObserver((records) => {
        for (const { target, addedNodes } of records) {
            // A text may arrive after its element.
            if (target.matches(MOMENT) && !isShown(target)) {
                show(target);
            }
            for (const node of addedNodes) {
                if (node.nodeType === Node.ELEMENT_NODE) {
                    findAll(node);
                }
            }
        }
    }).observe(document.documentElement, { childList: true, subtree: true });
    setInterval(() => document.hidden || findAll(document), MINUTE * 1000);
})();
