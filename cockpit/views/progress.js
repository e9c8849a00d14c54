// SPDX-License-Identifier: LGPL-2.1-or-later
// The job that runs now.

import { formatNumbers } from "../format.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { Icon } from "../icons.js";
import { describeError, describeKind, describeStage, translateMessage } from "../sentences.js";
import { mayDo } from "../store.js";
import { Alert, Button, Card } from "../widgets.js";

const _ = cockpit.gettext;
const SPOKEN_INTERVAL = 1000; // milliseconds between two sentences for a screen reader

/** @type {Record<string, [() => string, string[]][]>} The steps of a kind of job, each with the stages that it is made of. */
const STEPS = {
  install: [
    [() => _("Plan"), ["preparing", "metadata", "resolving"]], [() => _("Download"), ["downloading", "checking"]],
    [() => _("Install"), ["installing"]], [() => _("Start"), ["configuring", "starting", "verifying"]],
  ],
  uninstall: [
    [() => _("Plan"), ["preparing", "metadata", "resolving"]], [() => _("Stop"), ["stopping"]],
    [() => _("Remove"), ["removing"]], [() => _("Clean up"), ["configuring", "purging", "verifying"]],
  ],
};

/** @param {{ store: PageStore, state: State, job: Job }} props */
export function RunningJob({ store, state, job }) {
  const [failure, setFailure] = useState("");
  const highest = useRef(0);
  highest.current = Math.max(highest.current, job.Progress);
  const percent = Math.round(highest.current * 100);
  const numbers = formatNumbers(job);
  const text = job.MessageId ? translateMessage({ id: job.MessageId, args: job.MessageArgs, text: job.Message }) : job.Message;
  const mine = job.InitiatorUid in state.users || mayDo(state, "cancel");
  const cancel = async () => {
    setFailure("");
    try {
      await store.cancel(job.path);
    } catch (error) {
      setFailure(describeError(/** @type {any} */ (error)).title);
    }
  };
  return html`<${Card} title=${describeKind(job.Kind)} id="running" actions=${mine && job.Cancellable
    && html`<${Button} id="cancel" onClick=${cancel}>${_("Cancel")}<//>`}>
    <div class="stack">
      <div class="pf-v6-c-progress" id="progress">
        <div class="pf-v6-c-progress__description" id="progress-text">${describeStage(job.Stage)}</div>
        <div class="pf-v6-c-progress__status" aria-hidden="true"><span class="pf-v6-c-progress__measure">${percent} %</span></div>
        <div class="pf-v6-c-progress__bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${percent}
           aria-valuetext=${`${describeStage(job.Stage)}, ${percent} %`} aria-labelledby="progress-text">
          <div class="pf-v6-c-progress__indicator" style=${{ inlineSize: `${percent}%` }}></div>
        </div>
      </div>
      <${Spoken} text=${`${describeStage(job.Stage)}, ${percent} %`} />
      <${Stepper} steps=${STEPS[job.Kind]} stage=${job.Stage} />
      <div class="muted" id="progress-numbers">${numbers || text}</div>
      <div class="muted">${job.Cancellable
        ? _("You may leave this page; the job keeps running.")
        : _("Packages are being written, so the job cannot be canceled now. You may leave this page; the job keeps running.")}</div>
      ${failure && html`<${Alert} kind="warning" title=${failure} />`}
    </div><//>`;
}

/**
 * Says the text to a screen reader, with a pause after each.
 * @param {{ text: string }} props
 */
function Spoken({ text }) {
  const [spoken, setSpoken] = useState(text);
  const newest = useRef(text);
  newest.current = text;
  useEffect(() => {
    const timer = setInterval(() => setSpoken(newest.current), SPOKEN_INTERVAL);
    return () => clearInterval(timer);
  }, []);
  return html`<div class="pf-v6-screen-reader" role="status" aria-live="polite">${spoken}</div>`;
}

/** @param {{ steps?: [() => string, string[]][], stage: string }} props */
function Stepper({ steps, stage }) {
  if (!steps) return null;
  const found = steps.findIndex(([, stages]) => stages.includes(stage));
  const current = stage === "finished" ? steps.length : Math.max(found, 0);
  return html`<ol class="pf-v6-c-progress-stepper" role="list">${steps.map(([title], index) => {
    const state = index < current ? "success" : index === current ? "info" : "pending";
    return html`<li class=${`pf-v6-c-progress-stepper__step pf-m-${state}${index === current ? " pf-m-current" : ""}`}
        aria-current=${index === current ? "step" : undefined}>
      <div class="pf-v6-c-progress-stepper__step-connector"><span class="pf-v6-c-progress-stepper__step-icon">
        ${state !== "pending" && html`<${Icon} name=${state} />`}</span></div>
      <div class="pf-v6-c-progress-stepper__step-main"><div class="pf-v6-c-progress-stepper__step-title">${title()}</div></div>
    </li>`;
  })}</ol>`;
}
