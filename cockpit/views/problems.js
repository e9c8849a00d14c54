// SPDX-License-Identifier: LGPL-2.1-or-later
// What is wrong, each with the button that fixes it; the worst of it also marks the page in Cockpit's navigation.

import { html, useEffect, useState } from "../html.js";
import { describeError, translateMessage } from "../sentences.js";
import { getAccess, mayDo } from "../store.js";
import { Alert, Button } from "../widgets.js";
import { DOCKER_HUB } from "./registries.js";

const _ = cockpit.gettext;
const DRIFT = "mirrors-differ";
const NO_MIRROR = "no-mirror-of-registry-works";
const UNIT = /^[\w@-]+\.(service|socket|timer)$/;

/** @param {{ store: PageStore, state: State, open: (name: string) => void }} props */
export function Problems({ store, state, open }) {
  const problems = state.status?.problems ?? [];
  const worst = state.problem ? describeError(state.problem).title : problems.length ? translateMessage(problems[0]) : "";
  useEffect(() => {
    const page_status = worst ? { type: state.problem ? "error" : "warning", title: worst } : null;
    if (!state.desktop) cockpit.transport.control("notify", { page_status });
  }, [worst]);
  return html`
    ${state.problem && html`<${Unreachable} store=${store} problem=${state.problem} />`}
    ${problems.map((problem, index) => html`<${Problem} key=${problem.id ?? index} store=${store} state=${state} problem=${problem} open=${open} />`)}
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

/** @param {{ store: PageStore, state: State, problem: Message, open: (name: string) => void }} props */
function Problem({ store, state, problem, open }) {
  const [failure, setFailure] = useState("");
  const status = /** @type {Status} */ (state.status);
  const remedy = /** @type {Remedy} */ (problem.remedy ?? {});
  const link = state.desktop ? null : findLink(remedy.command ?? "");
  const isFixable = mayDo(state, "set-mirror");
  /** @param {string[]} mirrors */
  const apply = async mirrors => {
    setFailure("");
    try {
      await store.run("SetMirror", {}, mirrors);
    } catch (error) {
      setFailure(describeError(/** @type {any} */ (error)).text);
    }
  };
  const actions = isFixable && problem.id === DRIFT ? html`
    <${Button} kind="link inline" id="apply-file" onClick=${() => apply(status["mirrors-configured"])}>${_("Apply daemon.json")}<//>
    <${Button} kind="link inline" id="keep-active" onClick=${() => apply(status["mirrors-active"])}>${_("Keep what is in use")}<//>`
    : isFixable && problem.id === NO_MIRROR && problem.args?.registry === DOCKER_HUB ? html`
    <${Button} kind="link inline" id="replace-mirrors" onClick=${() => open("fastest")}>${_("Find the fastest")}<//>`
    : link && html`<${Button} kind="link inline" onClick=${() => cockpit.jump(link.path)}>${link.label}<//>`;
  const advice = translateMessage(/** @type {Message} */ (remedy));
  return html`<${Alert} kind="warning" title=${translateMessage(problem)} actions=${actions || null}>
    ${advice && html`<p>${advice}</p>`}
    ${remedy.command && problem.id !== DRIFT && html`<p><code dir="ltr">${remedy.command}</code></p>`}
    ${failure && html`<p role="alert">${failure}</p>`}<//>`;
}

/**
 * Cockpit's own page for what a command looks at or changes.
 * @param {string} command of a remedy
 */
function findLink(command) {
  const [program, ...words] = command.split(" ");
  const last = words.pop() ?? "";
  const unit = last.includes(".") ? last : `${last}.service`;
  if (!UNIT.test(unit)) return null;
  if (program === "journalctl") return { path: `/system/logs#/?prio=debug&_SYSTEMD_UNIT=${unit}`, label: _("Show log") };
  return program === "systemctl" ? { path: `/system/services#/${unit}`, label: _("Show unit") } : null;
}
