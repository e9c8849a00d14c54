// SPDX-License-Identifier: LGPL-2.1-or-later
// What is installed, and what can be done with it.

import { html } from "../html.js";
import { describeService } from "../sentences.js";
import { mayDo } from "../store.js";
import { Button, Card, DescriptionList, Expandable, Label } from "../widgets.js";

const _ = cockpit.gettext;
const SERVICE_PAGE = "/system/services#/docker.service";
const COLORS = /** @type {Record<string, string>} */ ({ active: "green", failed: "red", inactive: "grey" });

/** @param {{ state: State, open: (name: string) => void, busy: boolean }} props */
export function Engine({ state, open, busy }) {
  const status = /** @type {Status} */ (state.status);
  const service = status["service-state"];
  const packages = Object.entries(status.packages);
  const source = status.source || (status["repository-file"] ? _("another repository") : "");
  const containers = "docker" in (cockpit.manifests ?? {}) && !state.desktop;
  const actions = html`<div class="row">
    ${mayDo(state, "install") && html`<${Button} id="upgrade" busy=${busy} onClick=${() => open("upgrade")}>${_("Upgrade")}<//>
      <${Button} id="change-version" busy=${busy} onClick=${() => open("install")}>${_("Change or repair")}<//>`}
    ${mayDo(state, "uninstall") && html`<${Button} kind="secondary danger" id="uninstall" busy=${busy} onClick=${() => open("uninstall")}>${_("Uninstall")}<//>`}
  </div>`;
  return html`<${Card} title=${_("Engine")} id="engine">
    <div class="stack">
      <${DescriptionList} rows=${[
        [_("Version"), html`<span class="value">${status["engine-version"] || "–"}</span>`],
        [_("Service"), html`<span class="row"><${Label} color=${COLORS[service] ?? "blue"}>${describeService(service)}<//>
          ${!state.desktop && html`<${Button} kind="link inline" onClick=${() => cockpit.jump(SERVICE_PAGE)}>${_("Details")}<//>`}</span>`],
        source && [_("Packages from"), html`<span class="value">${source}</span>`],
        status.platform && [_("Platform"), html`<span class="value">${status.platform}</span>`],
      ]} />
      <${Expandable} label=${_("Packages")}>
        <${DescriptionList} rows=${packages.map(([name, version]) => [html`<span class="value">${name}</span>`, html`<span class="value">${version}</span>`])} />
        ${status["repository-file"] && html`<p class="muted value">${cockpit.format(_("Repository file: $0"), status["repository-file"])}</p>`}
      <//>
      ${containers && html`<div><${Button} kind="link inline" onClick=${() => cockpit.jump("/docker")}>${_("Manage containers")}<//></div>`}
      ${actions}
    </div><//>`;
}
