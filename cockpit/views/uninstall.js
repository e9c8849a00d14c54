// SPDX-License-Identifier: LGPL-2.1-or-later
// Removes the engine, and its data when the user types the name of the host.

import { Dialog } from "../dialog.js";
import { formatBytes } from "../format.js";
import { html, useState } from "../html.js";
import { usePlanning } from "../planning.js";
import { mayDo } from "../store.js";
import { Alert, Button, Choice, Field, Spinner, TextInput } from "../widgets.js";
import { Lines, PlanView } from "./plan.js";

const _ = cockpit.gettext;

/** @param {{ store: PageStore, state: State, close: () => void }} props */
export function UninstallDialog({ store, state, close }) {
  const [purge, setPurge] = useState(false);
  const [keepConfig, setKeepConfig] = useState(false);
  const [typed, setTyped] = useState("");
  const planning = usePlanning(store, "Uninstall", close);
  const { plan, working, error, note, agreed } = planning;
  /** @type {Options} */
  const options = { "purge-data": purge, "keep-config": keepConfig, force: true };
  const blocked = plan !== null && ((Boolean(plan.stops?.length) && !agreed) || (purge && typed !== state.host));
  const submit = () => {
    if (working || blocked) return;
    if (plan) planning.carryOut(options);
    else planning.makePlan(options);
  };
  return html`<${Dialog} id="uninstall-dialog" title=${_("Uninstall Docker")} onClose=${planning.leave} onSubmit=${submit} footer=${html`
    <${Button} kind=${plan ? "danger" : "primary"} id="go" type="submit" busy=${working || blocked}>
      ${!plan ? _("Review") : purge ? _("Uninstall and delete data") : _("Uninstall")}<//>
    ${plan && html`<${Button} id="back" busy=${working} onClick=${planning.goBack}>${_("Back")}<//>`}
    <${Button} kind="link" onClick=${planning.leave}>${_("Cancel")}<//>
    ${working && html`<span class="row" role="status"><${Spinner} label=${_("Working")} />
      ${plan ? _("Making sure that the plan still holds") : _("Working out what would be done")}</span>`}`}>
    ${error && html`<${Alert} kind="danger" title=${error.title}>${error.text && html`<p>${error.text}</p>`}<//>`}
    ${note && html`<${Alert} kind="info" id="plan-changed" title=${note} />`}
    ${!plan && html`<div class="pf-v6-c-form">
      <${Field} id="data" label=${_("Images, containers and volumes")} group>
        <${Choice} id="keep" type="radio" name="data" label=${_("Keep them")} checked=${!purge} onChange=${() => setPurge(false)}
          help=${_("They are there again when Docker is installed again.")} />
        ${mayDo(state, "purge-data") && html`<${Choice} id="purge" type="radio" name="data" label=${_("Delete them")} checked=${purge}
          onChange=${() => setPurge(true)} />`}
      <//>
      ${purge && html`<${Choice} id="keep-config" label=${_("Keep the configuration in /etc/docker")} checked=${keepConfig} onChange=${setKeepConfig} />`}
    </div>`}
    ${plan && html`
      ${purge && html`<${Losses} plan=${plan} />`}
      <${PlanView} plan=${plan} agreed=${agreed} onAgree=${planning.setAgreed} installs=${false} />
      ${purge && html`<div class="pf-v6-c-form"><${Field} id="host-name" label=${cockpit.format(_("Type $0 to delete the data"), state.host)}>
        <${TextInput} id="host-name" value=${typed} onInput=${setTyped} dir="ltr" />
      <//></div>`}`}
  <//>`;
}

/** @param {{ plan: Plan }} props */
function Losses({ plan }) {
  const paths = (plan.deletes ?? []).map(each => typeof each === "string" ? each
    : each.bytes === undefined ? each.path : cockpit.format(_("$0: $1"), each.path, formatBytes(each.bytes)));
  return html`<${Alert} kind="danger" id="losses" title=${_("This data will be deleted and cannot be restored")}>
    <div class="stack">
      <${Lines} title=${_("Folders with all that is in them")} lines=${paths} />
      <${Lines} title=${_("Volumes")} lines=${plan.volumes ?? []} />
    </div><//>`;
}
