// SPDX-License-Identifier: LGPL-2.1-or-later
// Tries the candidates, and uses those that the user picks.

import { Dialog } from "../dialog.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { describeError } from "../sentences.js";
import { takeResult } from "../store.js";
import { Button, Choice, ErrorAlert, Spinner, Table } from "../widgets.js";
import { Verdict } from "./mirrors.js";

const _ = cockpit.gettext;

/** @param {{ store: PageStore, state: State, close: () => void }} props */
export function FastestDialog({ store, state, close }) {
  const [path, setPath] = useState("");
  const [chosen, setChosen] = useState(/** @type {string[] | null} */ (null));
  const [working, setWorking] = useState(false);
  const [error, setError] = useState(/** @type {{ title: string, text: string } | null} */ (null));
  const open = useRef(true);
  /** @param {any} failure */
  const fail = failure => {
    setError(describeError(failure));
    setWorking(false);
  };
  useEffect(() => {
    store.start("ProbeMirrors", {}, []).then(started => {
      setPath(started);
      if (!open.current) store.cancel(started).catch(() => undefined);
      return store.waitForJob(started).then(takeResult);
    }).catch(failure => open.current && fail(failure));
    return () => { open.current = false; };
  }, []);
  const job = state.jobs.find(each => each.path === path);
  const probing = !error && (!job || job.State === "running");
  const probed = /** @type {Finding[]} */ (job?.Result.probed ?? []);
  const good = probed.filter(each => each.verdict === "ok").map(each => each.mirror);
  // Until the user chooses, it is the best of those that have answered.
  const picked = chosen ?? good.slice(0, 1);
  /** @param {string} mirror */
  const toggle = mirror => setChosen(picked.includes(mirror) ? picked.filter(each => each !== mirror) : [...picked, mirror]);
  const leave = () => {
    if (path && job?.State === "running") store.cancel(path).catch(() => undefined); // it ends by itself, too
    close();
  };
  const submit = async () => {
    if (working || probing || !picked.length) return;
    setWorking(true);
    setError(null);
    try {
      await store.run("SetMirror", {}, good.filter(each => picked.includes(each)));
      close();
    } catch (failure) {
      fail(failure);
    }
  };
  return html`<${Dialog} id="fastest-dialog" title=${_("Find the fastest mirror")} size="lg" onClose=${leave} onSubmit=${submit} footer=${html`
    <${Button} kind="primary" id="use-selected" type="submit" busy=${working || probing || !picked.length}>${_("Use selected")}<//>
    <${Button} kind="link" onClick=${leave} data-autofocus>${_("Cancel")}<//>`}>
    <${ErrorAlert} error=${error} />
    <p>${_("Each mirror is asked for a small image. Those that you select replace the list, the fastest first.")}</p>
    <div role="status" class="row">${probing && html`<${Spinner} label=${_("Probing mirrors")} />`}
      <span>${cockpit.format(_("$0 tried, $1 work"), probed.length, good.length)}</span></div>
    ${probed.length > 0 && html`<${Table} label=${_("Candidates")} columns=${[_("Mirror"), _("Result")]} rows=${probed.map(finding => ({
      key: finding.mirror,
      cells: [
        good.includes(finding.mirror)
          ? html`<${Choice} id=${`use-${finding.mirror}`} label=${html`<span class="value">${finding.mirror}</span>`}
            checked=${picked.includes(finding.mirror)} onChange=${() => toggle(finding.mirror)} />`
          : html`<span class="value">${finding.mirror}</span>`,
        html`<${Verdict} finding=${finding} />`,
      ],
    }))} />`}
  <//>`;
}
