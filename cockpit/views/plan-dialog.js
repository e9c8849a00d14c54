// SPDX-License-Identifier: LGPL-2.1-or-later
// A dialog that shows a plan before it is carried out, after a form where there is something to choose.

import { Dialog } from "../dialog.js";
import { html } from "../html.js";
import { Alert, Button, ErrorAlert, Spinner } from "../widgets.js";
import { needsConsent, PlanView } from "./plan.js";

const _ = cockpit.gettext;

/**
 * @param {{ id: string, title: string, verb: string, danger?: boolean, planning: ReturnType<typeof import("../planning.js").usePlanning>,
 *   options: Options, blocked?: any, form?: any, before?: any, after?: any, installs?: boolean }} props
 * `verb` is what the button of the plan says, `blocked` keeps the button from working, and
 * `before` and `after` surround the plan
 */
export function PlanDialog({ id, title, verb, danger, planning, options, blocked, form, before, after, installs = false }) {
  const { plan, working, error, note, agreed } = planning;
  const nothing = plan !== null && !plan.changed;
  const waits = working || blocked || plan?.refusal || (plan !== null && !agreed && needsConsent(plan, installs));
  const submit = () => {
    if (waits) return;
    if (nothing) planning.leave();
    else if (plan) planning.carryOut(options);
    else planning.makePlan(options);
  };
  return html`<${Dialog} id=${id} title=${title} onClose=${planning.leave} onSubmit=${submit} footer=${html`
    <${Button} kind=${danger && plan ? "danger" : "primary"} id="go" type="submit" busy=${waits}>
      ${nothing ? _("Close") : plan ? verb : _("Review")}<//>
    ${plan && form && html`<${Button} id="back" busy=${working} onClick=${planning.goBack}>${_("Back")}<//>`}
    <${Button} kind="link" onClick=${planning.leave}>${_("Cancel")}<//>
    ${working && html`<span class="row" role="status"><${Spinner} label=${_("Working")} />
      ${plan ? _("Making sure that the plan still holds") : _("Working out what would be done")}</span>`}`}>
    <${ErrorAlert} error=${error} />
    ${note && html`<${Alert} kind="info" id="plan-changed" title=${note} />`}
    ${plan ? html`${before}<${PlanView} plan=${plan} agreed=${agreed} onAgree=${planning.setAgreed} installs=${installs} />${after}` : form}
  <//>`;
}
