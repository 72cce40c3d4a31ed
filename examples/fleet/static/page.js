// Replaces the parts of the page marked with data-live, every two seconds.
"use strict";
(() => {
  const regions = () => document.querySelectorAll("[data-live]");
  const button = document.getElementById("live");
  const state = document.getElementById("live-state");
  if (regions().length === 0) return;
  let paused = sessionStorage.getItem("paused") === "yes";

  const label = () => { button.textContent = paused ? "Resume updates" : "Pause updates"; };
  label();
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    sessionStorage.setItem("paused", paused ? "yes" : "no");
    label();
  });

  // What somebody works with must not be replaced under their hands.
  const busy = () =>
    paused || document.hidden || !getSelection().isCollapsed
    || document.querySelector("main details[open], dialog[open]")
    || document.activeElement.matches("main :is(input, select, textarea, button, summary)");

  const replace = (page) => {
    const link = document.activeElement.closest("[data-live] a")?.getAttribute("href");
    for (const old of regions()) {
      const fresh = page.getElementById(old.id);
      if (fresh && fresh.innerHTML !== old.innerHTML) old.replaceChildren(...fresh.childNodes);
    }
    if (link) document.querySelector(`[data-live] a[href="${CSS.escape(link)}"]`)?.focus({ preventScroll: true });
  };

  const update = async () => {
    if (!busy()) {
      try {
        const response = await fetch(location.href, { headers: { "x-live": "1" } });
        if (response.redirected) return location.reload();
        if (!response.ok) throw new Error(response.statusText);
        const text = await response.text();
        if (!busy()) replace(new DOMParser().parseFromString(text, "text/html"));
        state.textContent = "";
      } catch {
        state.textContent = "No connection: this is not up to date.";
      }
    }
    setTimeout(update, 2000);
  };
  setTimeout(update, 2000);
})();
