// SPDX-License-Identifier: LGPL-2.1-or-later
// Starts the page.

import { html, render } from "./html.js";
import { Store } from "./store.js";
import { followTheme } from "./theme.js";
import { App } from "./views/app.js";

document.documentElement.lang = (cockpit.language || "en").replace("_", "-");
followTheme();
render(html`<${App} store=${new Store()} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
