// SPDX-License-Identifier: LGPL-2.1-or-later
// A host without Docker.

import { html } from "../html.js";
import { Icon } from "../icons.js";
import { mayDo } from "../store.js";
import { Button } from "../widgets.js";

const _ = cockpit.gettext;

/** @param {{ state: State, open: (name: string) => void, busy: boolean }} props */
export function EmptyState({ state, open, busy }) {
  const platform = state.status?.platform;
  return html`<section class="pf-v6-c-card" aria-label=${_("Docker is not installed")}><div class="pf-v6-c-empty-state"><div class="pf-v6-c-empty-state__content">
    <div class="pf-v6-c-empty-state__header">
      <div class="pf-v6-c-empty-state__icon"><${Icon} name="engine" /></div>
      <div class="pf-v6-c-empty-state__title"><h2 class="pf-v6-c-empty-state__title-text">${_("Docker is not installed")}</h2></div>
    </div>
    <div class="pf-v6-c-empty-state__body">${platform
      ? cockpit.format(_("Docker's packages for $0 can come from a mirror of your choice."), platform)
      : _("Docker has no packages for this system. Those of a related one may fit: choose its platform when you install.")}</div>
    ${mayDo(state, "install") && !busy && html`<div class="pf-v6-c-empty-state__footer"><div class="pf-v6-c-empty-state__actions">
      <${Button} kind="primary" id="install" onClick=${() => open("install")}>${_("Install Docker")}<//>
    </div></div>`}
  </div></div></section>`;
}
