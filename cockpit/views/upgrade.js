// SPDX-License-Identifier: LGPL-2.1-or-later
// Brings all of Docker's packages to the newest version of their source.

import { html, useEffect } from "../html.js";
import { usePlanning } from "../planning.js";
import { PlanDialog } from "./plan-dialog.js";

const _ = cockpit.gettext;

/** @param {{ store: PageStore, close: () => void }} props */
export function UpgradeDialog({ store, close }) {
  const planning = usePlanning(store, "Install", close);
  const options = { upgrade: true, "replace-conflicting": true };
  useEffect(() => { planning.makePlan(options); }, []);
  return html`<${PlanDialog} id="upgrade-dialog" title=${_("Upgrade Docker")} verb=${_("Upgrade")} planning=${planning} options=${options}
    installs=${true} />`;
}
