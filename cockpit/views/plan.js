// SPDX-License-Identifier: LGPL-2.1-or-later
// What a job would do, with what is lost first.

import { formatBytes } from "../format.js";
import { html } from "../html.js";
import { translateMessage, translateWithAdvice } from "../sentences.js";
import { Alert, Choice, CodeBlock, Expandable, Table } from "../widgets.js";

const _ = cockpit.gettext;

/**
 * @param {{ plan: Plan, agreed: boolean, onAgree: (agreed: boolean) => void, installs: boolean }} props
 * `agreed` is whether the user has ticked what is removed or stopped
 */
export function PlanView({ plan, agreed, onAgree, installs }) {
  const removals = installs ? plan.remove ?? [] : [];
  const stops = plan.stops ?? [];
  const notes = (plan.notes ?? []).map(translateWithAdvice);
  const changes = [
    ...describeChanges(plan.install, _("Install")), ...describeChanges(plan.upgrade, _("Upgrade")),
    ...describeChanges(plan.downgrade, _("Downgrade")), ...describeChanges(installs ? [] : plan.remove, _("Remove")),
  ];
  return html`
    ${plan.refusal && html`<${Alert} kind="danger" id="refusal" title=${_("This cannot be done now")}><p>${translateWithAdvice(plan.refusal)}</p><//>`}
    ${!plan.changed && html`<p>${_("There is nothing to do: all of it is done already.")}</p>`}
    ${removals.length > 0 && html`<${Alert} kind="warning" id="removals" title=${_("These packages will be removed")}>
      <ul>${removals.map(each => html`<li key=${each.package}><strong>${each.package}</strong>${each.reason && html`: ${translateMessage(each.reason)}`}</li>`)}</ul>
      <${Choice} id="agree" label=${_("Remove these packages")} checked=${agreed} onChange=${onAgree} /><//>`}
    ${stops.length > 0 && html`<${Alert} kind="warning" id="stops" title=${_("These containers will be stopped")}>
      <ul>${stops.map(name => html`<li key=${name}><strong>${name}</strong></li>`)}</ul>
      <${Choice} id="agree-stops" label=${_("Stop these containers")} checked=${agreed} onChange=${onAgree} /><//>`}
    ${notes.length > 0 && html`<${Alert} kind="warning" id="notes" title=${_("Notes")}>
      <ul>${notes.map(note => html`<li class="value" key=${note}>${note}</li>`)}</ul><//>`}
    ${installs && plan.changed && html`<p>${cockpit.format(_("$0 to download, $1 on the disk."), formatBytes(plan["download-bytes"]),
      formatBytes(Math.max(0, plan["disk-bytes"])))}</p>`}
    ${changes.length > 0 && html`<${Table} label=${_("Packages")} columns=${[_("Package"), _("Change"), _("Download")]} rows=${changes} />`}
    <${Lines} title=${_("Actions")} lines=${(plan.actions ?? []).map(translateMessage)} />
    ${plan.diff && html`<${Expandable} label=${_("Changes of files")}><${CodeBlock} label=${_("Changes of files")} text=${plan.diff} /><//>`}`;
}

/**
 * @param {Plan} plan
 * @param {boolean} installs
 */
export const needsConsent = (plan, installs) => Boolean(plan.stops?.length || (installs && plan.remove?.length));

/**
 * @param {PackageChange[] | undefined} changes
 * @param {string} title
 */
function describeChanges(changes, title) {
  return (changes ?? []).map(each => ({
    key: `${title} ${each.package}`,
    cells: [html`<span class="value">${each.package}</span>`, title, each["download-bytes"] > 0 ? formatBytes(each["download-bytes"]) : "–"],
  }));
}

/** @param {{ title: string, lines: string[] }} props */
export const Lines = ({ title, lines }) => lines.length > 0 && html`<div>
  <h2 class="pf-v6-c-title pf-m-md">${title}</h2>
  <ul class="pf-v6-c-list">${lines.map(line => html`<li class="value" key=${line}>${line}</li>`)}</ul></div>`;
