// SPDX-License-Identifier: LGPL-2.1-or-later
// The registry mirrors: configured, in use, and how the last probe of each went.

import { formatAge, formatDuration, formatRate } from "../format.js";
import { html, useLayoutEffect, useRef, useState } from "../html.js";
import { describeError, describeVerdict, translateMessage } from "../sentences.js";
import { mayDo } from "../store.js";
import { Button, Card, ErrorAlert, Label, Table } from "../widgets.js";
import { DOCKER_HUB, Registries } from "./registries.js";

const _ = cockpit.gettext;

/** @param {{ store: PageStore, state: State, open: (name: string) => void, busy: boolean }} props */
export function Mirrors({ store, state, open, busy }) {
  const status = /** @type {Status} */ (state.status);
  const [error, setError] = useState(/** @type {{ title: string, text: string } | null} */ (null));
  const focus = useRef("");
  const configured = status["mirrors-configured"];
  const active = status["mirrors-active"];
  const registries = status.registries ?? [];
  const extra = active.filter(each => !configured.includes(each));
  const changing = mayDo(state, "set-mirror");
  const probing = state.jobs.some(job => job.Kind === "probe" && job.State === "running");
  useLayoutEffect(() => {
    // A row that has moved takes the focus along, which the browser forgets.
    if (!focus.current) return;
    /** @type {HTMLElement | null} */ (document.getElementById(focus.current))?.focus();
    focus.current = "";
  }, [configured.join(), JSON.stringify(registries)]);
  /** @param {() => Promise<any>} work */
  const attempt = async work => {
    setError(null);
    try {
      await work();
    } catch (failure) {
      setError(describeError(/** @type {any} */ (failure)));
    }
  };
  /**
   * @param {number} index
   * @param {number} step
   */
  const move = (index, step) => {
    const list = [...configured];
    list.splice(index + step, 0, ...list.splice(index, 1));
    const edge = index + step === 0 || index + step === list.length - 1;
    focus.current = `${edge ? (step < 0 ? "down" : "up") : step < 0 ? "up" : "down"}-${configured[index]}`;
    return attempt(() => store.run("SetMirror", {}, list));
  };
  /**
   * @param {string} mirror
   * @param {string} [registry] another one than Docker Hub
   */
  const remove = (mirror, registry) => {
    focus.current = "add-mirror";
    return attempt(() => store.run("SetMirror", { mode: "remove", registry }, [mirror]));
  };
  /**
   * @param {string} mirror
   * @param {number} index
   */
  const renderActions = (mirror, index) => html`<div class="row">
    ${index > 0 && html`<${Button} kind="plain" icon="up" id=${`up-${mirror}`} busy=${busy} onClick=${() => move(index, -1)}
      aria-label=${cockpit.format(_("Move $0 up"), mirror)} />`}
    ${index < configured.length - 1 && html`<${Button} kind="plain" icon="down" id=${`down-${mirror}`} busy=${busy} onClick=${() => move(index, 1)}
      aria-label=${cockpit.format(_("Move $0 down"), mirror)} />`}
    <${Button} kind="plain" icon="remove" id=${`remove-${mirror}`} busy=${busy} onClick=${() => remove(mirror)}
      aria-label=${cockpit.format(_("Remove $0"), mirror)} />
  </div>`;
  const rows = [...configured, ...extra].map((mirror, index) => ({
    key: mirror,
    cells: [
      html`<span class="value">${mirror}</span>`,
      index < configured.length ? String(index + 1) : "–",
      active.includes(mirror) ? html`<${Label} color="green">${_("Yes")}<//>` : html`<${Label} color="orange">${_("No")}<//>`,
      html`<${LastProbe} state=${state} mirror=${mirror} />`,
      ...(changing ? [index < configured.length ? renderActions(mirror, index) : ""] : []),
    ],
  }));
  const probe = () => attempt(() => store.run("ProbeMirrors", {}, [...configured, ...extra]));
  return html`<${Card} title=${_("Registry mirrors")} id="mirrors" actions=${html`<div class="row">
      ${rows.length > 0 && mayDoProbe(state, configured, extra) && html`<${Button} id="probe" busy=${probing} onClick=${probe}>${_("Probe")}<//>`}
      ${changing && html`<${Button} id="fastest" busy=${busy} onClick=${() => open("fastest")}>${_("Find the fastest")}<//>
        <${Button} id="add-mirror" busy=${busy} onClick=${() => open("add-mirror")}>${_("Add")}<//>`}
    </div>`}>
    <${ErrorAlert} error=${error} />
    ${rows.length
      ? html`<${Table} label=${_("Registry mirrors")} rows=${rows}
        columns=${[_("Mirror"), _("Order"), _("In use"), _("Last probe"), ...(changing ? [""] : [])]} />`
      : html`<p>${_("None: images come from Docker Hub itself.")}</p>`}
    <${Registries} registries=${registries} changing=${changing} busy=${busy} remove=${remove} /><//>`;
}

/**
 * Candidates and configured mirrors may be probed by everybody.
 * @param {State} state
 * @param {string[]} configured
 * @param {string[]} extra
 */
const mayDoProbe = (state, configured, extra) => mayDo(state, "probe") || (configured.length > 0 && extra.length === 0);

/** @param {{ state: State, mirror: string }} props */
function LastProbe({ state, mirror }) {
  const { finding, time } = findLastProbe(state, mirror);
  if (!finding) return html`<span class="muted">${_("never")}</span>`;
  return html`<${Verdict} finding=${finding} /> <span class="muted">${formatAge(time)}</span>`;
}

/**
 * What the last probe found, by whoever wanted it: a user or the mirror watch.
 * @param {State} state
 * @param {string} mirror of Docker Hub
 * @returns {{ finding?: Partial<Finding>, time: number }} `time` in microseconds since the epoch
 */
function findLastProbe(state, mirror) {
  /** @param {{ mirror: string }} each */
  const isAsked = each => each.mirror === mirror;
  const check = state.status?.["mirror-checks"]?.find(each => isAsked(each) && each.registry === DOCKER_HUB);
  const time = check?.["checked-at"] ?? 0;
  for (const job of state.jobs) { // the newest first
    if (job.CreatedAt < time) break;
    const finding = job.Result.probed?.find(isAsked);
    if (finding) return { finding, time: job.CreatedAt };
  }
  return { finding: check, time };
}

/** @param {{ finding: Partial<Finding> }} props */
export function Verdict({ finding }) {
  const { latency = 0, throughput = 0 } = finding;
  if (finding.verdict === "ok") {
    return html`<${Label} color=${finding.differs ? "orange" : "green"}>${describeVerdict("ok")}<//>
      ${latency > 0 && html` ${formatDuration(latency)}`}${throughput > 0 && [_(", "), formatRate(throughput)]}`;
  }
  return html`<${Label} color="red">${describeVerdict(finding.verdict ?? "")}<//> ${translateMessage(finding.cause) || finding.text}`;
}
