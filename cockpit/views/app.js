// SPDX-License-Identifier: LGPL-2.1-or-later
// The whole page: which parts it has now, and the dialog that is open.

import { html, useEffect, useState } from "../html.js";
import { findRunning } from "../store.js";
import { Alert, Spinner } from "../widgets.js";
import { EmptyState } from "./empty.js";
import { Engine } from "./engine.js";
import { History } from "./history.js";
import { InstallDialog } from "./install.js";
import { JobPage } from "./job.js";
import { AddMirrorDialog } from "./mirror-add.js";
import { FastestDialog } from "./mirror-probe.js";
import { Mirrors } from "./mirrors.js";
import { Problems } from "./problems.js";
import { RunningJob } from "./progress.js";
import { UninstallDialog } from "./uninstall.js";
import { UpgradeDialog } from "./upgrade.js";

const _ = cockpit.gettext;
/** @type {Record<string, any>} */
const DIALOGS = {
  install: InstallDialog, upgrade: UpgradeDialog, uninstall: UninstallDialog, "add-mirror": AddMirrorDialog, fastest: FastestDialog,
};

/** @param {{ store: PageStore }} props */
export function App({ store }) {
  const [state, setState] = useState(store.state);
  const [path, setPath] = useState(cockpit.location.path);
  const [dialog, setDialog] = useState(/** @type {{ name: string, epoch: number } | null} */ (null));
  const [note, setNote] = useState("");
  useEffect(() => store.subscribe(() => setState(store.state)), [store]);
  useEffect(() => cockpit.addEventListener("locationchanged", () => setPath(cockpit.location.path)), []);
  useEffect(() => {
    // What a dialog began belongs to a client that is gone.
    if (!dialog || dialog.epoch === state.epoch) return;
    setDialog(null);
    setNote(_("The dialog was closed because your access or the service has changed."));
  }, [state.epoch]);
  /** @param {string} name */
  const open = name => {
    setNote("");
    setDialog({ name, epoch: store.state.epoch });
  };
  const job = path[0] === "jobs" ? state.jobs.find(each => each.Id === path[1]) : null;
  const Dialog = dialog && DIALOGS[dialog.name];
  return html`
    <main class="pf-v6-c-page__main" tabindex="-1">
      ${path[0] === "jobs" && state.status
        ? html`<${JobPage} store=${store} state=${state} job=${job} />`
        : html`<${Overview} store=${store} state=${state} note=${note} open=${open} />`}
    </main>
    ${Dialog && html`<${Dialog} key=${dialog.name} store=${store} state=${state} close=${() => setDialog(null)} />`}`;
}

/** @param {{ store: PageStore, state: State, note: string, open: (name: string) => void }} props */
function Overview({ store, state, note, open }) {
  const { status } = state;
  const running = findRunning(state);
  return html`
    <h1 class="pf-v6-c-title pf-m-2xl">${_("Docker Engine")}</h1>
    <${Problems} store=${store} state=${state} open=${open} />
    ${note && html`<${Alert} kind="info" title=${note} />`}
    ${running && html`<${RunningJob} store=${store} state=${state} job=${running} />`}
    ${!status && !state.problem && html`<${Spinner} size="lg" label=${_("Loading")} />`}
    ${status && (status.installed
      ? html`<div class="columns">
        <${Engine} state=${state} open=${open} busy=${Boolean(running)} />
        <${Mirrors} store=${store} state=${state} open=${open} busy=${Boolean(running)} />
      </div>`
      : html`<${EmptyState} state=${state} open=${open} busy=${Boolean(running)} />`)}
    ${status && html`<${History} state=${state} />`}`;
}
