// SPDX-License-Identifier: LGPL-2.1-or-later
// Light or dark, as the shell decides: its choice is in the local storage, and a change of it is an event.

const CHOICE = "shell:style";
const system = matchMedia("(prefers-color-scheme: dark)");

/** @param {string} [choice] "dark", "light" or "auto" */
function applyTheme(choice = localStorage.getItem(CHOICE) ?? "auto") {
  const dark = choice === "dark" || (choice !== "light" && system.matches);
  document.documentElement.classList.toggle("pf-v6-theme-dark", dark);
}

export function followTheme() {
  addEventListener("storage", event => event.key === CHOICE && applyTheme());
  addEventListener("cockpit-style", event => applyTheme(/** @type {CustomEvent} */ (event).detail.style));
  system.addEventListener("change", () => applyTheme());
  applyTheme();
}
