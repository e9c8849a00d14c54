// SPDX-License-Identifier: LGPL-2.1-or-later
// The way of a dialog from a form over the plan to exactly that plan.

import { useRef, useState } from "./html.js";
import { describeError } from "./sentences.js";
import { takeResult } from "./store.js";

const _ = cockpit.gettext;
const BEFORE_CONSENT = ["preparing", "metadata", "resolving"]; // the stages in which a plan can turn out to have changed

/**
 * @param {PageStore} store
 * @param {string} verb
 * @param {() => void} close
 */
export function usePlanning(store, verb, close) {
  const [plan, setPlan] = useState(/** @type {Plan | null} */ (null));
  const [working, setWorking] = useState(false);
  const [error, setError] = useState(/** @type {{ title: string, text: string } | null} */ (null));
  const [note, setNote] = useState("");
  const [agreed, setAgreed] = useState(false);
  const running = useRef({ path: "", closed: false });

  /** @param {() => Promise<void>} work */
  const attempt = async work => {
    setWorking(true);
    setError(null);
    setNote("");
    try {
      await work();
    } catch (failure) {
      if (!running.current.closed) setError(describeError(/** @type {any} */ (failure)));
    }
    setWorking(false);
    running.current.path = "";
  };

  /** @param {string} path */
  const follow = path => {
    running.current.path = path;
    // Who closes a dialog before its job has begun wants none.
    if (running.current.closed) store.cancel(path).catch(() => undefined);
  };

  return {
    plan, working, error, note, agreed, setAgreed,

    /** @param {Options} options of the verb */
    makePlan: options => attempt(async () => {
      setAgreed(false);
      const result = await store.run(verb, { ...options, "dry-run": true }, undefined, follow);
      setPlan(/** @type {Plan} */ (result));
    }),

    /**
     * Do what the plan says, and close the dialog as soon as it is certain that this is still the plan.
     * @param {Options} options of the verb
     */
    carryOut: options => attempt(async () => {
      const path = await store.start(verb, { ...options, plan: plan?.digest });
      running.current.path = path;
      const job = await store.waitForJob(path, each => each.State !== "running" || !BEFORE_CONSENT.includes(each.Stage));
      if (job.ErrorName.endsWith(".PlanChanged") && job.Result.digest) {
        setPlan(/** @type {any} */ (job.Result));
        setAgreed(false);
        setNote(_("The host has changed since the plan was made. Nothing was done; this is the new plan."));
        return;
      }
      if (job.State !== "running") takeResult(job);
      close();
    }),

    goBack: () => setPlan(null),

    leave: () => {
      const { path } = running.current;
      running.current.closed = true;
      if (path) store.cancel(path).catch(() => undefined); // a job that cannot be canceled continues on the page
      close();
    },
  };
}
