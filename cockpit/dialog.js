// SPDX-License-Identifier: LGPL-2.1-or-later
// A modal dialog on the browser's own <dialog>, which brings Esc, inertness of the rest and the top layer.

import { html, useLayoutEffect, useRef } from "./html.js";
import { Button } from "./widgets.js";

const _ = cockpit.gettext;
const STOPS = "button:not(:disabled), select:not(:disabled), input:not(:disabled), textarea:not(:disabled), a[href], [tabindex='0']";

/**
 * Keep Tab in the dialog: the browser would move the focus to the shell, which is another document.
 * @param {KeyboardEvent} event
 */
function keepFocus(event) {
  if (event.key !== "Tab") return;
  const dialog = /** @type {HTMLElement} */ (event.currentTarget);
  const stops = /** @type {HTMLElement[]} */ ([...dialog.querySelectorAll(STOPS)]).filter(each => each.offsetParent !== null);
  const [from, to] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
  if (document.activeElement !== from && dialog.contains(document.activeElement)) return;
  event.preventDefault();
  to?.focus();
}

/**
 * The one who opened it gets the focus back.
 * @param {{ title: string, size?: string, onClose: () => void, onSubmit?: () => void, footer: any, children?: any, id: string }} props
 */
export function Dialog({ title, size = "md", onClose, onSubmit, footer, children, id }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useLayoutEffect(() => {
    const opener = /** @type {HTMLElement | null} */ (document.activeElement);
    const dialog = /** @type {HTMLDialogElement} */ (element.current);
    dialog.showModal();
    (/** @type {HTMLElement | null} */ (dialog.querySelector("[data-autofocus]")) ?? dialog.querySelector("select, input, footer button"))?.focus();
    return () => {
      dialog.close();
      const again = opener?.id ? document.getElementById(opener.id) : opener;
      if (again?.isConnected) again.focus();
      else /** @type {HTMLElement | null} */ (document.querySelector("main"))?.focus();
    };
  }, []);
  return html`<dialog ref=${element} id=${id} class=${`pf-v6-c-modal-box pf-m-${size}`} aria-labelledby=${`${id}-title`} onKeyDown=${keepFocus}
      onCancel=${(/** @type {Event} */ event) => { event.preventDefault(); onClose(); }}>
    <div class="pf-v6-c-modal-box__close"><${Button} kind="plain" icon="close" aria-label=${_("Close")} onClick=${onClose} /></div>
    <header class="pf-v6-c-modal-box__header"><div class="pf-v6-c-modal-box__header-main">
      <h1 class="pf-v6-c-modal-box__title" id=${`${id}-title`}><span class="pf-v6-c-modal-box__title-text">${title}</span></h1>
    </div></header>
    <form class="dialog-form" novalidate onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); onSubmit?.(); }}>
      <div class="pf-v6-c-modal-box__body">${children}</div>
      <footer class="pf-v6-c-modal-box__footer">${footer}</footer>
    </form>
  </dialog>`;
}
