// SPDX-License-Identifier: LGPL-2.1-or-later
// One immutable state for all views, made of what the bus says, and what the page can do to the host.

import { Bus, BusError } from "./bus.js";
import { toVariants } from "./variants.js";

const POLL_INTERVAL = 30_000; // milliseconds; only for a service that does not announce its problems
const REFRESH_DELAY = 100; // milliseconds in which changes that come together make one call
const REVIVAL_DELAY = 3000; // milliseconds; a call in the middle of a stop would cancel it
export const LOOKUPS = ["probe", "probe-sources", "versions"];

export class Store {
  /** @type {State} */
  state = {
    status: null, permissions: {}, jobs: [], admin: null, desktop: window.parent === window, problem: null, epoch: 0,
    properties: {}, users: {}, host: "",
  };
  #bus = new Bus();
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Set<string>} Paths of the plans that this page asked for: an older service does not tell them apart. */
  #plans = new Set();

  constructor() {
    const bus = this.#bus;
    bus.addEventListener("open", () => this.refresh());
    // After an orderly stop the service comes back when somebody calls it, and a job may be running.
    bus.addEventListener("lost", () => this.refresh(REVIVAL_DELAY));
    bus.addEventListener("manager", () => {
      this.#set({ properties: bus.properties });
      this.refresh();
    });
    bus.addEventListener("jobs", () => this.#takeJobs());
    bus.addEventListener("access", () => {
      this.#set({ admin: bus.admin });
      this.refresh();
    });
    bus.addEventListener("problem", event => this.#set({ problem: /** @type {CustomEvent} */ (event).detail }));
    cockpit.addEventListener("visibilitychange", () => cockpit.hidden || this.refresh());
    setInterval(() => cockpit.hidden || "Problems" in this.state.properties || this.refresh(), POLL_INTERVAL);
    cockpit.spawn(["uname", "-n"]).then((/** @type {string} */ name) => this.#set({ host: name.trim() }));
    cockpit.user().then(user => this.#set({ users: { ...this.state.users, [user.id]: user.name } }));
    this.refresh();
  }

  /**
   * @param {() => void} listener called after each change of the state
   * @returns {() => void} ends that
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Ask for everything again, soon.
   * @param {number} [delay] milliseconds
   */
  refresh(delay = REFRESH_DELAY) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refreshNow(), delay);
  }

  /** Connect again after the service could not be reached. */
  reconnect() {
    this.#bus.open();
  }

  async #refreshNow() {
    try {
      const [status, permissions] = await Promise.all([this.#bus.call("Status"), this.#bus.call("GetPermissions")]);
      this.#set({ status, permissions, problem: null });
    } catch (error) {
      this.#set({ problem: /** @type {BusError} */ (error) });
    }
  }

  #takeJobs() {
    const before = this.state.jobs;
    const jobs = this.#bus.jobs.map(job => ({ ...job, lookup: this.#isLookup(job) }));
    this.#set({ jobs });
    const ended = jobs.some(job => job.State !== "running" && before.find(each => each.path === job.path)?.State === "running");
    if (ended) this.refresh();
    this.#learnUsers(jobs);
  }

  /** @param {Job} job */
  #isLookup(job) {
    const asked = job.DryRun ?? (this.#plans.has(job.path) || job.Result["dry-run"] === true);
    return LOOKUPS.includes(job.Kind) || asked;
  }

  /** @param {Job[]} jobs */
  #learnUsers(jobs) {
    for (const uid of new Set(jobs.map(job => job.InitiatorUid))) {
      if (uid in this.state.users) continue;
      this.#set({ users: { ...this.state.users, [uid]: String(uid) } });
      cockpit.spawn(["getent", "passwd", String(uid)], { err: "ignore" }).then(
        (/** @type {string} */ line) => this.#set({ users: { ...this.state.users, [uid]: line.split(":")[0] } }),
        () => undefined, // a user that is gone stays a number
      );
    }
  }

  /** @param {Partial<State>} changes */
  #set(changes) {
    this.state = { ...this.state, ...changes, epoch: this.#bus.epoch };
    for (const listener of this.#listeners) listener();
  }

  /** @returns {Promise<Source[]>} */
  listSources() {
    return this.#bus.call("ListSources");
  }

  /**
   * Call a verb.
   * @param {string} verb
   * @param {Options} options
   * @param {string[]} [mirrors] for the verbs that take some
   * @returns {Promise<string>} the path of the job
   */
  async start(verb, options, mirrors) {
    const { desktop } = this.state;
    // In a window of a desktop session an agent of polkit can ask for a password; in a browser there is none.
    const values = toVariants({ ...options, interactive: desktop || undefined });
    const path = await this.#bus.call(verb, mirrors === undefined ? [values] : [mirrors, values]);
    if (options["dry-run"]) {
      this.#plans.add(path);
      this.#takeJobs();
    }
    return path;
  }

  /** @param {string} path of the job */
  async cancel(path) {
    try {
      await this.#bus.cancel(path);
    } catch (error) {
      // A job that has ended meanwhile needs no canceling.
      if (this.findJob(path)?.State === "running") throw error;
    }
  }

  /** @param {string} path */
  findJob(path) {
    return this.state.jobs.find(job => job.path === path);
  }

  /**
   * Resolve as soon as the condition holds for the job. A job that outlives the service is followed on.
   * @param {string} path
   * @param {(job: Job) => boolean} condition
   * @returns {Promise<Job>}
   */
  waitForJob(path, condition = job => job.State !== "running") {
    return new Promise(resolve => {
      const check = () => {
        const job = this.findJob(path);
        if (!job || !condition(job)) return false;
        stop();
        resolve(job);
        return true;
      };
      const stop = this.subscribe(check);
      check();
    });
  }

  /**
   * Call a verb and wait for its end.
   * @param {string} verb
   * @param {Options} options
   * @param {string[]} [mirrors]
   * @param {(path: string) => void} [onStart]
   * @returns {Promise<Record<string, any>>} the result; rejects with a BusError
   */
  async run(verb, options, mirrors, onStart) {
    const path = await this.start(verb, options, mirrors);
    onStart?.(path);
    return takeResult(await this.waitForJob(path));
  }
}

/**
 * The result of a job that has ended.
 * @param {Job} job
 * @returns {Record<string, any>}
 * @throws {BusError} when the job has failed
 */
export function takeResult(job) {
  if (job.State === "done") return job.Result;
  const error = new BusError({ name: job.ErrorName, message: job.ErrorMessage });
  error.details = job.ErrorDetails?.id ? job.ErrorDetails : null;
  throw error;
}

/**
 * Whether the user may do it: "yes"; "ask", after a password that polkit asks for; "raise", with
 * administrative access; or "no".
 * @param {State} state
 * @param {string} action
 * @returns {"yes" | "ask" | "raise" | "no"}
 */
export function getAccess(state, action) {
  const answer = state.permissions[action] ?? "no";
  if (answer === "auth") return state.desktop ? "ask" : "raise";
  return answer === "yes" ? "yes" : "no";
}

/**
 * @param {State} state
 * @param {string} action
 */
export function mayDo(state, action) {
  return ["yes", "ask"].includes(getAccess(state, action));
}

/**
 * The job that changes the host now.
 * @param {State} state
 */
export function findRunning(state) {
  return state.jobs.find(job => job.State === "running" && !job.lookup);
}
