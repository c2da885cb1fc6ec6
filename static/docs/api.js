/* Forms of the browsable API whose method, or whose JSON, a browser sends by a script only. What is
   answered is such a page again, which takes the place of this one. */
document.addEventListener("submit", async (event) => {
    "use strict";
    const form = event.target;
    const { method } = form.dataset;
    if (!method) {
        return;
    }
    event.preventDefault();
    const json = form.querySelector("[data-json]");
    const token = form.querySelector("[name=csrfmiddlewaretoken]");
    const headers = { Accept: "text/html" };
    let body;
    if (token) {
        headers["X-CSRFToken"] = token.value;
    }
    if (json) {
        headers["Content-Type"] = "application/json";
        body = json.value;
    } else if (form.method === "post") {
        body = new FormData(form);
    }
    const main = document.getElementById("content");
    const button = form.querySelector("button");
    button.disabled = true;
    try {
        const answer = await fetch(form.getAttribute("action"), { method, headers, body });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const content = page.getElementById("content");
        main.replaceChildren(...(content ?? page.body).childNodes);
    } catch {
        button.disabled = false;
        window.registrar.announce(gettext("The server did not answer. Reload the page to see the current state."));
        return;
    }
    scrollTo(0, 0);
    main.focus();
});
