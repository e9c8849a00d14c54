// SPDX-License-Identifier: LGPL-2.1-or-later
// One job, by its own address.

import { formatBytes, formatDate, formatDuration } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { describeError, describeState, translateMessage } from "../sentences.js";
import { Alert, Button, Card, DescriptionList, Label } from "../widgets.js";
import { describeJob, Initiator } from "./history.js";
import { Verdict } from "./mirrors.js";
import { RunningJob } from "./progress.js";

const _ = cockpit.gettext;

/** @param {{ store: PageStore, state: State, job: Job | undefined }} props */
export function JobPage({ store, state, job }) {
  const title = job ? describeJob(job) : _("Job");
  return html`
    <nav class="pf-v6-c-breadcrumb" aria-label=${_("Breadcrumb")}><ol class="pf-v6-c-breadcrumb__list" role="list">
      <li class="pf-v6-c-breadcrumb__item"><a class="pf-v6-c-breadcrumb__link" href="#/">${_("Docker Engine")}</a></li>
      <li class="pf-v6-c-breadcrumb__item"><span class="pf-v6-c-breadcrumb__item-divider"><${Icon} name="expand" /></span>
        <span class="pf-v6-c-breadcrumb__link pf-m-current" aria-current="page">${title}</span></li>
    </ol></nav>
    <h1 class="pf-v6-c-title pf-m-2xl">${title}</h1>
    ${!job && html`<${Alert} kind="info" title=${_("This job is not known any more.")} />`}
    ${job?.State === "running" && html`<${RunningJob} store=${store} state=${state} job=${job} />`}
    ${job && html`<${Details} state=${state} job=${job} />`}`;
}

/** @param {{ state: State, job: Job }} props */
function Details({ state, job }) {
  const [text, color] = describeState(job.State);
  const error = job.ErrorName ? describeError({ name: job.ErrorName, message: job.ErrorMessage, details: job.ErrorDetails?.id ? job.ErrorDetails : null }) : null;
  const log = `/system/logs#/?prio=debug&_SYSTEMD_UNIT=${job.Unit}`;
  const options = Object.entries(job.Options ?? {}).filter(([name]) => !["plan", "interactive"].includes(name));
  return html`<${Card} title=${_("Details")} id="job" actions=${!state.desktop
      && html`<${Button} onClick=${() => cockpit.jump(log)}>${_("View log")}<//>`}>
    <div class="stack">
      ${error && html`<${Alert} kind=${job.State === "cancelled" ? "info" : "danger"} title=${error.title}>
        ${error.text && html`<p>${error.text}</p>`}<//>`}
      <${DescriptionList} rows=${[
        [_("Outcome"), html`<${Label} color=${color}>${text}<//>`],
        [_("Begun"), formatDate(job.CreatedAt)],
        job.FinishedAt > 0 && [_("Duration"), formatDuration((job.FinishedAt - job.CreatedAt) / 1e6)],
        [_("Who"), html`<${Initiator} state=${state} job=${job} />`],
        options.length > 0 && [_("Options"), html`<span class="value">${options.map(([name, value]) => `${name}=${value}`).join(" ")}</span>`],
        ...describeResult(job.Result),
        [_("Job"), html`<span class="value">${job.Id}</span>`],
      ]} />
    </div><//>`;
}

/**
 * @param {Record<string, any>} result
 * @returns {([string, any] | false)[]}
 */
function describeResult(result) {
  /** @type {[string, string][]} */
  const lists = [
    ["installed", _("Installed")], ["upgraded", _("Upgraded")], ["downgraded", _("Downgraded")], ["removed", _("Removed")],
    ["purged", _("Deleted")], ["mirrors", _("Registry mirrors")], ["stops", _("Stopped containers")],
  ];
  const shown = lists.filter(([key]) => Array.isArray(result[key]) && result[key].length > 0);
  const notes = /** @type {(string | Message)[]} */ (result.notes ?? []);
  return [
    ...shown.map(([key, title]) => /** @type {[string, any]} */ ([title, renderLines(result[key].map(nameOf))])),
    result["freed-bytes"] > 0 && [_("Freed"), formatBytes(result["freed-bytes"])],
    notes.length > 0 && [_("Notes"), renderLines(notes.map(translateMessage))],
    Array.isArray(result.probed) && [_("Probed"), result.probed.map((/** @type {Finding} */ each) => html`
      <div key=${each.mirror}><span class="value">${each.mirror}</span> <${Verdict} finding=${each} /></div>`)],
  ];
}

/** @param {any} item */
const nameOf = item => typeof item === "string" ? item : item.package ?? item.path ?? translateMessage(item);

/** @param {string[]} lines */
const renderLines = lines => lines.map(line => html`<div class="value" key=${line}>${line}</div>`);
