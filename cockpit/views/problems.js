// SPDX-License-Identifier: LGPL-2.1-or-later
// What is wrong, each with the button that fixes it; the worst of it also marks the page in Cockpit's navigation.

import { html, useEffect, useState } from "../html.js";
import { describeError, translateMessage } from "../sentences.js";
import { getAccess, mayDo } from "../store.js";
import { Alert, Button } from "../widgets.js";

const _ = cockpit.gettext;
const ENGINE_LOG = "/system/logs#/?prio=debug&_SYSTEMD_UNIT=docker.service";

/** @param {{ store: PageStore, state: State }} props */
export function Problems({ store, state }) {
  const problems = state.status?.problems ?? [];
  const worst = state.problem ? describeError(state.problem).title : problems.length ? translateMessage(problems[0]) : "";
  useEffect(() => {
    const page_status = worst ? { type: state.problem ? "error" : "warning", title: worst } : null;
    if (!state.desktop) cockpit.transport.control("notify", { page_status });
  }, [worst]);
  return html`
    ${state.problem && html`<${Unreachable} store=${store} problem=${state.problem} />`}
    ${problems.map((problem, index) => html`<${Problem} key=${problem.id ?? index} store=${store} state=${state} problem=${problem} />`)}
    ${getAccess(state, "install") === "raise" && html`<${Alert} kind="info" id="limited" title=${_("Limited access")}>
      <p>${_("You can look at the Docker Engine. Turn on administrative access to change it.")}</p><//>`}`;
}

/** @param {{ store: PageStore, problem: NonNullable<State["problem"]> }} props */
function Unreachable({ store, problem }) {
  const { title, text } = describeError(problem);
  return html`<${Alert} kind="danger" id="unreachable" title=${title}
    actions=${html`<${Button} kind="link inline" onClick=${() => store.reconnect()}>${_("Try again")}<//>`}>
    ${text && text !== title && html`<p>${text}</p>`}<//>`;
}

/** @param {{ store: PageStore, state: State, problem: Message }} props */
function Problem({ store, state, problem }) {
  const [failure, setFailure] = useState("");
  const { status } = state;
  const remedy = typeof problem.remedy === "string" ? { command: problem.remedy } : problem.remedy ?? {};
  const isDrift = /** @type {Status} */ (status)["mirrors-drift"] && remedy.command?.includes("reload");
  const isService = remedy.command?.startsWith("journalctl");
  /** @param {string} list */
  const apply = async list => {
    setFailure("");
    try {
      await store.run("SetMirror", {}, /** @type {any} */ (status)[list]);
    } catch (error) {
      setFailure(describeError(/** @type {any} */ (error)).text);
    }
  };
  const actions = isDrift && mayDo(state, "set-mirror") ? html`
    <${Button} kind="link inline" id="apply-file" onClick=${() => apply("mirrors-configured")}>${_("Apply daemon.json")}<//>
    <${Button} kind="link inline" id="keep-active" onClick=${() => apply("mirrors-active")}>${_("Keep what is in use")}<//>`
    : isService && !state.desktop && html`<${Button} kind="link inline" onClick=${() => cockpit.jump(ENGINE_LOG)}>${_("Show log")}<//>`;
  const advice = typeof problem.remedy === "object" ? translateMessage(/** @type {Message} */ (problem.remedy)) : "";
  return html`<${Alert} kind=${isService ? "danger" : "warning"} title=${isDrift
    ? _("The running engine uses other registry mirrors than daemon.json names.") : translateMessage(problem)} actions=${actions || null}>
    ${advice && html`<p>${advice}</p>`}
    ${remedy.command && !isDrift && !isService && html`<p><code>${remedy.command}</code></p>`}
    ${failure && html`<p role="alert">${failure}</p>`}<//>`;
}
