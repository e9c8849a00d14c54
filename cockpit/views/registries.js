// SPDX-License-Identifier: LGPL-2.1-or-later
// The mirrors of registries other than Docker Hub.

import { html } from "../html.js";
import { Button, Table } from "../widgets.js";

const _ = cockpit.gettext;
export const DOCKER_HUB = "docker.io";

/**
 * @param {{ registries: Registry[], changing: boolean, busy: boolean, remove: (mirror: string, registry: string) => void }} props
 */
export function Registries({ registries, changing, busy, remove }) {
  /** @param {Registry} each */
  const renderForeign = each => ({
    key: each.file,
    cells: [each.registry, html`<span class="muted">${cockpit.format(_("See $0"), each.file)}</span>`, ...(changing ? [""] : [])],
  });
  /**
   * @param {Registry} each
   * @param {string} mirror
   */
  const renderMirror = (each, mirror) => ({
    key: `${each.registry} ${mirror}`,
    cells: [
      each.registry,
      html`<span class="value">${mirror}</span>`,
      ...(changing ? [html`<${Button} kind="plain" icon="remove" id=${`remove-${each.registry}-${mirror}`} busy=${busy}
        onClick=${() => remove(mirror, each.registry)} aria-label=${cockpit.format(_("Remove $0 from $1"), mirror, each.registry)} />`] : []),
    ],
  });
  const rows = registries.flatMap(each => each.managed ? each.mirrors.map(mirror => renderMirror(each, mirror)) : [renderForeign(each)]);
  return rows.length > 0 && html`<div id="registries">
    <${Table} label=${_("Mirrors of other registries")} rows=${rows} columns=${[_("Registry"), _("Mirror"), ...(changing ? [""] : [])]} />
  </div>`;
}
