// SPDX-License-Identifier: LGPL-2.1-or-later
// The connection to org.dockmgr1: one client, opened again when the session's access or the owner of the
// name changes. Who listens gets the events "open", "lost", "manager",
// "jobs", "access" and "problem".

import { toPlain } from "./variants.js";

const NAME = "org.dockmgr1";
const MANAGER_PATH = "/org/dockmgr1";
const MANAGER = "org.dockmgr1.Manager";
const JOB = "org.dockmgr1.Job";

/** A call that failed: the name of the D-Bus error, or Cockpit's problem code, and a sentence. */
export class BusError extends Error {
  /** @param {CockpitError} error */
  constructor(error) {
    super(error.message || cockpit.message(error));
    this.name = error.name || error.problem || "";
    /** @type {Message | null} */
    this.details = null;
  }
}

export class Bus extends EventTarget {
  /** @type {boolean | null} Whether the session has administrative access; null until that is known. */
  admin = null;
  /** @type {Job[]} The newest first. */
  jobs = [];
  /** @type {Record<string, any>} The manager's properties, as far as they are known. */
  properties = {};
  /** How often a client was opened. */
  epoch = 0;
  /** @type {CockpitDBusClient | null} */
  #client = null;
  /** @type {boolean | null} */
  #openedAs = null;
  #hasLastError = true;

  constructor() {
    super();
    // The shell's own access dialog changes this object. cockpit.permission() would reload the page.
    this.#watchAccess(cockpit.dbus(null, { bus: "internal" }).proxy("cockpit.Superuser", "/superuser"));
    this.open();
  }

  /** Open a client, and close the one before. */
  open() {
    this.#client?.close();
    const client = cockpit.dbus(NAME, { superuser: "try" });
    this.#client = client;
    this.epoch += 1;
    /** @type {string | null} */
    let owner = null;
    client.addEventListener("owner", (_event, next) => {
      // The bridge may keep the properties of the previous owner. Only a new client reads all of them.
      if (client !== this.#client) return;
      if (!next && owner) this.#emit("lost");
      else if (next && owner && next !== owner) this.open();
      else if (next) owner = next;
    });
    client.addEventListener("close", (_event, options) => {
      if (client === this.#client) this.#emit("problem", new BusError(options));
    });
    this.#watchManager(client);
    this.#watchJobs(client);
    this.#emit("open");
  }

  /**
   * Call a method of the manager.
   * @param {string} member
   * @param {any[]} args
   * @returns {Promise<any>} what the method returns, without variants
   */
  call(member, args = []) {
    return this.#call(MANAGER_PATH, MANAGER, member, args);
  }

  /** @param {string} path of the job */
  cancel(path) {
    return this.#call(path, JOB, "Cancel", []);
  }

  /**
   * @param {string} path
   * @param {string} iface
   * @param {string} member
   * @param {any[]} args
   */
  async #call(path, iface, member, args) {
    const client = /** @type {CockpitDBusClient} */ (this.#client);
    try {
      const reply = await client.call(path, iface, member, args);
      return toPlain(reply[0]);
    } catch (error) {
      const failure = new BusError(/** @type {CockpitError} */ (error));
      failure.details = await this.#readLastError(client);
      throw failure;
    }
  }

  /**
   * The message of the last refusal on this connection, where the service can say it.
   * @param {CockpitDBusClient} client
   */
  async #readLastError(client) {
    if (!this.#hasLastError) return null;
    try {
      const reply = await client.call(MANAGER_PATH, MANAGER, "LastError", []);
      const details = toPlain(reply[0]);
      return details.id ? details : null;
    } catch (error) {
      const { name } = /** @type {CockpitError} */ (error);
      if (name === "org.freedesktop.DBus.Error.UnknownMethod") this.#hasLastError = false;
      return null;
    }
  }

  /** @param {CockpitDBusProxy} superuser */
  #watchAccess(superuser) {
    superuser.addEventListener("changed", () => {
      // "init" is on the way to something else.
      if (!superuser.valid || superuser.Current === "init") return;
      const admin = superuser.Current !== "none";
      if (admin === this.admin) return;
      this.admin = admin;
      if (this.#openedAs !== null && this.#openedAs !== admin) this.open();
      this.#openedAs = admin;
      this.#emit("access");
    });
  }

  /** @param {CockpitDBusClient} client */
  #watchManager(client) {
    const manager = client.proxy(MANAGER, MANAGER_PATH);
    manager.addEventListener("changed", () => {
      if (client !== this.#client) return;
      this.properties = toPlain(manager.data);
      this.#emit("manager");
    });
  }

  /** @param {CockpitDBusClient} client */
  #watchJobs(client) {
    // At the path of the ObjectManager: elsewhere the bridges find none of its objects.
    const proxies = client.proxies(JOB, MANAGER_PATH);
    /** @type {Map<string, Job>} */
    const jobs = new Map();
    let complete = false;
    const publish = () => {
      if (client !== this.#client || !complete) return;
      this.jobs = [...jobs.values()].sort((a, b) => b.CreatedAt - a.CreatedAt);
      this.#emit("jobs");
    };
    /** @type {(event: any, proxy: CockpitDBusProxy) => void} */
    const update = (_event, proxy) => {
      jobs.set(proxy.path, { ...toPlain(proxy.data), path: proxy.path });
      publish();
    };
    proxies.addEventListener("added", update);
    proxies.addEventListener("changed", update);
    proxies.addEventListener("removed", (_event, proxy) => {
      jobs.delete(proxy.path);
      publish();
    });
    proxies.wait(() => {
      complete = true;
      publish();
    });
  }

  /**
   * @param {string} type
   * @param {any} [detail]
   */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
