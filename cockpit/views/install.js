// SPDX-License-Identifier: LGPL-2.1-or-later
// Installs the engine, or brings it to another version.

import { html, useEffect, useState } from "../html.js";
import { checkMirrorUrl } from "../mirror-url.js";
import { usePlanning } from "../planning.js";
import { describeError } from "../sentences.js";
import { Choice, Expandable, Field, Select, Spinner, TextInput } from "../widgets.js";
import { PlanDialog } from "./plan-dialog.js";

const _ = cockpit.gettext;
const DEFAULT_SOURCE = "official";
const FASTEST = "fastest"; // the service measures the sources and takes the best

/** @param {{ store: PageStore, state: State, close: () => void }} props */
export function InstallDialog({ store, state, close }) {
  const status = /** @type {Status} */ (state.status);
  const [form, setForm] = useState({
    source: status.source || DEFAULT_SOURCE, channel: "stable", version: "", platform: "", mirrors: "", start: true, completion: false,
    minimal: false,
  });
  const planning = usePlanning(store, "Install", close);
  const mirrors = form.mirrors.split(/\s+/).filter(Boolean);
  const complaint = mirrors.map(checkMirrorUrl).find(Boolean) ?? "";
  /** @type {Options} */
  const options = {
    source: form.source, channel: form.channel, version: form.version || undefined, platform: form.platform.trim() || undefined,
    mirrors: mirrors.length ? mirrors : undefined, start: form.start, enable: form.start, completion: form.completion, minimal: form.minimal,
    "replace-conflicting": true,
  };
  return html`<${PlanDialog} id="install-dialog" title=${status.installed ? _("Change or repair Docker") : _("Install Docker")}
    verb=${status.installed ? _("Apply") : _("Install")} planning=${planning} options=${options} blocked=${complaint} installs=${true}
    form=${html`<${InstallForm} store=${store} form=${form} setForm=${setForm} complaint=${complaint} unsupported=${!status.platform}
      installed=${status.installed} />`} />`;
}

/** @param {{ store: PageStore, form: any, setForm: (form: any) => void, complaint: string, unsupported: boolean,
 *   installed: boolean }} props */
function InstallForm({ store, form, setForm, complaint, unsupported, installed }) {
  const [sources, setSources] = useState(/** @type {Source[]} */ ([]));
  const [error, setError] = useState("");
  useEffect(() => { store.listSources().then(setSources, failure => setError(describeError(failure).title)); }, []);
  /**
   * @param {string} name
   * @returns {(value: any) => void}
   */
  const set = name => value => setForm({ ...form, [name]: value });
  const source = sources.find(each => each.name === form.source);
  const groups = /** @type {[string, Source[]][]} */ ([
    [_("Worldwide"), sources.filter(each => each.region === "world" && !each.intranet)],
    [_("China"), sources.filter(each => each.region !== "world" && each.region && !each.intranet)],
    [_("Other"), sources.filter(each => !each.region && !each.intranet)],
    [_("Inside of one cloud only"), sources.filter(each => each.intranet)],
  ]).filter(([, members]) => members.length);
  return html`<div class="pf-v6-c-form">
    <${Field} id="source" label=${_("Source")} help=${source?.prefix} error=${error}>
      <${Select} id="source" value=${form.source} onChange=${(/** @type {string} */ name) => setForm({ ...form, source: name, version: "" })}>
        <option value=${FASTEST} selected=${form.source === FASTEST}>${_("The fastest one, measured now")}</option>
        ${groups.map(([label, members]) => html`<optgroup label=${label} key=${label}>${members.map(each => html`
          <option value=${each.name} key=${each.name} selected=${each.name === form.source}>${each.title}</option>`)}</optgroup>`)}
      <//>
    <//>
    ${form.source !== FASTEST && html`<${VersionField} key=${`${form.source} ${form.channel} ${form.platform}`} store=${store} form=${form} installed=${installed}
      setVersion=${set("version")} />`}
    <${Expandable} label=${_("More options")} open=${unsupported}><div class="pf-v6-c-form">
      <${Field} id="platform" label=${_("Platform")} help=${_("Empty for what this system is; rhel/9, for example, for packages of another.")}>
        <${TextInput} id="platform" value=${form.platform} onInput=${set("platform")} dir="ltr" aria-describedby="platform-help" />
      <//>
      <${Field} id="install-mirrors" label=${_("Registry mirrors")} error=${complaint} help=${_("With spaces between them; set when Docker starts.")}>
        <${TextInput} id="install-mirrors" value=${form.mirrors} onInput=${set("mirrors")} error=${complaint} dir="ltr"
          aria-describedby="install-mirrors-help" />
      <//>
      <${Field} id="channel" label=${_("Channel")}>
        <${Select} id="channel" value=${form.channel} onChange=${(/** @type {string} */ channel) => setForm({ ...form, channel, version: "" })}>
          <option value="stable">${_("Stable")}</option><option value="test">${_("Test")}</option>
        <//>
      <//>
      <${Choice} id="start" label=${_("Start Docker now and at boot")} checked=${form.start} onChange=${set("start")} />
      <${Choice} id="completion" label=${_("Completion for bash")} checked=${form.completion} onChange=${set("completion")} />
      <${Choice} id="minimal" label=${_("Only the engine, without Buildx and Compose")} checked=${form.minimal} onChange=${set("minimal")} />
    </div><//>
  </div>`;
}

/**
 * The list is asked for when the user wants another than the usual one: it takes seconds.
 * @param {{ store: PageStore, form: any, installed: boolean, setVersion: (version: string) => void }} props
 */
function VersionField({ store, form, installed, setVersion }) {
  const [choosing, setChoosing] = useState(installed);
  const [versions, setVersions] = useState(/** @type {Version[] | null} */ (null));
  const [error, setError] = useState("");
  useEffect(() => {
    if (!choosing || versions) return;
    const options = { source: form.source, channel: form.channel, platform: form.platform.trim() || undefined };
    store.run("ListVersions", options).then(result => {
      setVersions(result.versions);
      if (!form.version && result.versions.length) setVersion(result.versions[0].version);
    }, failure => {
      setError(describeError(failure).title);
      setVersions([]);
    });
  }, [choosing]);
  return html`<${Field} id="version" label=${_("Version")} group error=${error}>
    <${Choice} id="newest" type="radio" name="version" label=${installed ? _("Keep the installed one") : _("The newest")} checked=${!choosing}
      onChange=${() => { setChoosing(false); setVersion(""); }} />
    <${Choice} id="another" type="radio" name="version" label=${_("Choose a version")} checked=${choosing} onChange=${() => setChoosing(true)} />
    ${choosing && (versions === null
      ? html`<${Spinner} label=${_("Reading the list of versions")} />`
      : versions.length > 0 && html`<span class="pf-v6-c-form-control"><select id="version" aria-label=${_("Version")} value=${form.version}
        onChange=${(/** @type {any} */ event) => setVersion(event.target.value)}>${versions.map(each => html`
          <option value=${each.version} key=${`${each.version}-${each.release}`} selected=${each.version === form.version}>
            ${each.installed ? cockpit.format(_("$0 (installed)"), each.version) : each.version}</option>`)}</select></span>`)}
  <//>`;
}
