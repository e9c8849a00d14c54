// SPDX-License-Identifier: LGPL-2.1-or-later
// Removes the engine, and its data when the user types the name of the host.

import { formatBytes } from "../format.js";
import { html, useState } from "../html.js";
import { usePlanning } from "../planning.js";
import { mayDo } from "../store.js";
import { Alert, Choice, Field, TextInput } from "../widgets.js";
import { Lines } from "./plan.js";
import { PlanDialog } from "./plan-dialog.js";

const _ = cockpit.gettext;

/** @param {{ store: PageStore, state: State, close: () => void }} props */
export function UninstallDialog({ store, state, close }) {
  const [purge, setPurge] = useState(false);
  const [keepConfig, setKeepConfig] = useState(false);
  const [typed, setTyped] = useState("");
  const planning = usePlanning(store, "Uninstall", close);
  /** @type {Options} */
  const options = { "purge-data": purge, "keep-config": keepConfig, force: true };
  const form = html`<div class="pf-v6-c-form">
    <${Field} id="data" label=${_("Images, containers and volumes")} group>
      <${Choice} id="keep" type="radio" name="data" label=${_("Keep them")} checked=${!purge} onChange=${() => setPurge(false)}
        help=${_("They are there again when Docker is installed again.")} />
      ${mayDo(state, "purge-data") && html`<${Choice} id="purge" type="radio" name="data" label=${_("Delete them")} checked=${purge}
        onChange=${() => setPurge(true)} />`}
    <//>
    ${purge && html`<${Choice} id="keep-config" label=${_("Keep the configuration in /etc/docker")} checked=${keepConfig} onChange=${setKeepConfig} />`}
  </div>`;
  const hostName = html`<div class="pf-v6-c-form"><${Field} id="host-name" label=${cockpit.format(_("Type $0 to delete the data"), state.host)}>
    <${TextInput} id="host-name" value=${typed} onInput=${setTyped} dir="ltr" />
  <//></div>`;
  const { plan } = planning;
  return html`<${PlanDialog} id="uninstall-dialog" title=${_("Uninstall Docker")} verb=${purge ? _("Uninstall and delete data") : _("Uninstall")} danger
    planning=${planning} options=${options} blocked=${plan?.changed && purge && typed !== state.host} form=${form}
    before=${purge && plan && html`<${Losses} plan=${plan} />`} after=${purge && plan?.changed && hostName} />`;
}

/** @param {{ plan: Plan }} props */
function Losses({ plan }) {
  const { containers = 0, images = 0, volumes = 0 } = plan.counts ?? {};
  const paths = (plan.purge ?? []).map(each => cockpit.format(_("$0: $1"), each.path, formatBytes(each.bytes)));
  return html`<${Alert} kind="danger" id="losses" title=${_("This data will be deleted and cannot be restored")}>
    <div class="stack">
      <p>${cockpit.format(_("Containers: $0, images: $1, volumes: $2"), containers, images, volumes)}</p>
      <${Lines} title=${_("Folders with all that is in them")} lines=${paths} />
      <${Lines} title=${_("Volumes")} lines=${plan.volumes ?? []} />
    </div><//>`;
}
