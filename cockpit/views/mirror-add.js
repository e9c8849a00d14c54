// SPDX-License-Identifier: LGPL-2.1-or-later
// Adds a mirror to the list.

import { Dialog } from "../dialog.js";
import { html, useState } from "../html.js";
import { checkMirrorUrl } from "../mirror-url.js";
import { describeError } from "../sentences.js";
import { getAccess } from "../store.js";
import { Alert, Button, Choice, ErrorAlert, Field, Spinner, TextInput } from "../widgets.js";
import { DOCKER_HUB } from "./registries.js";

const _ = cockpit.gettext;

/** @param {{ store: PageStore, state: State, close: () => void }} props */
export function AddMirrorDialog({ store, state, close }) {
  const [url, setUrl] = useState("");
  const [registry, setRegistry] = useState(DOCKER_HUB);
  const [touched, setTouched] = useState(false);
  const [verify, setVerify] = useState(true);
  const [path, setPath] = useState("");
  const [working, setWorking] = useState(false);
  const [error, setError] = useState(/** @type {{ title: string, text: string } | null} */ (null));
  const complaint = checkMirrorUrl(url);
  const insecure = /^http:/i.test(url.trim());
  const isHub = ["", DOCKER_HUB].includes(registry.trim());
  const options = { mode: "append", verify, registry: isHub ? undefined : registry.trim() };
  const submit = async () => {
    setTouched(true);
    if (complaint || working) return;
    setWorking(true);
    setError(null);
    try {
      await store.run("SetMirror", options, [url.trim()], setPath);
      close();
    } catch (failure) {
      setError(describeError(/** @type {any} */ (failure)));
      setWorking(false);
    }
  };
  const leave = () => {
    if (working && path) store.cancel(path).catch(() => undefined); // a job that cannot be canceled continues on the page
    close();
  };
  return html`<${Dialog} id="add-mirror-dialog" title=${_("Add a registry mirror")} size="sm" onClose=${leave} onSubmit=${submit} footer=${html`
    <${Button} kind="primary" id="add" type="submit" busy=${working}>${_("Add")}<//>
    <${Button} kind="link" onClick=${leave}>${_("Cancel")}<//>
    ${working && html`<${Spinner} label=${_("Working")} />`}`}>
    <${ErrorAlert} error=${error} />
    <div class="pf-v6-c-form">
      <${Field} id="mirror-url" label=${_("URL")} error=${touched ? complaint : ""} help=${_("For example https://mirror.example")}>
        <${TextInput} id="mirror-url" value=${url} onInput=${setUrl} onBlur=${() => setTouched(url !== "")} error=${touched && complaint}
          dir="ltr" aria-describedby="mirror-url-help" data-autofocus />
      <//>
      ${state.status?.registries && html`<${Field} id="registry" label=${_("Registry")}
        help=${_("What precedes the first slash in the names of its images, for example ghcr.io")}>
        <${TextInput} id="registry" value=${registry} onInput=${setRegistry} dir="ltr" aria-describedby="registry-help" />
      <//>`}
      <${Choice} id="verify" label=${_("Probe it first")} checked=${verify} onChange=${setVerify}
        help=${_("A mirror from which no image can be pulled is not added.")} />
    </div>
    ${insecure && html`<${Alert} kind="warning" title=${_("This mirror is used without TLS: anyone on the network path can change images.")} />`}
    ${insecure && getAccess(state, "set-mirror-insecure") === "raise" && html`<p>${_("Turn on administrative access to do this.")}</p>`}
  <//>`;
}
