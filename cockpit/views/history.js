// SPDX-License-Identifier: LGPL-2.1-or-later
// What was done, by whom, and how it ended.

import { formatAge, formatDate, formatDuration } from "../format.js";
import { html, useState } from "../html.js";
import { describeKind, describeState } from "../sentences.js";
import { LOOKUPS } from "../store.js";
import { Button, Card, Label, Switch, Table } from "../widgets.js";

const _ = cockpit.gettext;
const PAGE_SIZE = 10;

/** @param {{ state: State }} props */
export function History({ state }) {
  const [lookups, setLookups] = useState(false);
  const [count, setCount] = useState(PAGE_SIZE);
  const jobs = state.jobs.filter(job => lookups || !job.lookup);
  const rows = jobs.slice(0, count).map(job => {
    const [text, color] = describeState(job.State);
    return {
      key: job.Id,
      cells: [
        html`<${Button} kind="link inline" onClick=${() => cockpit.location.go(["jobs", job.Id])}>${describeJob(job)}<//>`,
        html`<time dateTime=${new Date(job.CreatedAt / 1000).toISOString()} title=${formatDate(job.CreatedAt)}>${formatAge(job.CreatedAt)}</time>`,
        html`<${Initiator} state=${state} job=${job} />`,
        html`<${Label} color=${color}>${text}<//>`,
        job.FinishedAt ? formatDuration((job.FinishedAt - job.CreatedAt) / 1e6) : "–",
      ],
    };
  });
  return html`<${Card} title=${_("History")} id="history" actions=${html`
    <${Switch} id="lookups" label=${_("Show look-ups")} checked=${lookups} onChange=${setLookups} />`}>
    ${rows.length
      ? html`<${Table} label=${_("History")} columns=${[_("What"), _("When"), _("Who"), _("Outcome"), _("Duration")]} rows=${rows} />`
      : html`<p>${_("Nothing has been done yet.")}</p>`}
    ${jobs.length > count && html`<${Button} kind="link" onClick=${() => setCount(count + PAGE_SIZE)}>${_("Show more")}<//>`}
  <//>`;
}

/** @param {{ state: State, job: Job }} props */
export const Initiator = ({ state, job }) => job.Origin === "mirror-watch" ? _("mirror watch")
  : html`<span class="value">${state.users[job.InitiatorUid] ?? String(job.InitiatorUid)}</span>`;

/** @param {Job} job */
export function describeJob(job) {
  const kind = describeKind(job.Kind);
  return job.lookup && !LOOKUPS.includes(job.Kind) ? cockpit.format(_("Plan: $0"), kind) : kind;
}
