// SPDX-License-Identifier: LGPL-2.1-or-later
// PatternFly's components, as far as the page needs them.

import { html, useState } from "./html.js";
import { Icon } from "./icons.js";

const _ = cockpit.gettext;

/**
 * A busy button keeps the focus and does nothing.
 * @param {{ kind?: string, onClick?: () => void, busy?: boolean, icon?: string, children?: any, [attribute: string]: any }} props
 */
export const Button = ({ kind = "secondary", onClick, busy = false, icon, children, ...rest }) => html`
  <button type="button" class=${`pf-v6-c-button ${kind.split(" ").map(each => `pf-m-${each}`).join(" ")}${busy ? " pf-m-aria-disabled" : ""}`}
      aria-disabled=${busy ? "true" : undefined} onClick=${() => busy || onClick?.()} ...${rest}>
    ${icon && html`<span class="pf-v6-c-button__icon"><${Icon} name=${icon} /></span>`}
    ${children && html`<span class="pf-v6-c-button__text">${children}</span>`}
  </button>`;

/** @param {{ title: string, id?: string, actions?: any, children?: any }} props */
export const Card = ({ title, id, actions, children }) => html`
  <section class="pf-v6-c-card" id=${id} aria-label=${title}>
    <div class="pf-v6-c-card__header">
      ${actions && html`<div class="pf-v6-c-card__actions pf-m-no-offset">${actions}</div>`}
      <div class="pf-v6-c-card__header-main"><div class="pf-v6-c-card__title">
        <h2 class="pf-v6-c-card__title-text">${title}</h2>
      </div></div>
    </div>
    <div class="pf-v6-c-card__body">${children}</div>
  </section>`;

/** @type {Record<string, () => string>} */
const SEVERITIES = { info: () => _("Info"), success: () => _("Success"), warning: () => _("Warning"), danger: () => _("Error") };

/** @param {{ kind: string, title: string, actions?: any, children?: any, id?: string }} props */
export const Alert = ({ kind, title, actions, children, id }) => html`
  <div class=${`pf-v6-c-alert pf-m-inline pf-m-${kind}`} role=${kind === "danger" ? "alert" : "status"} id=${id}>
    <div class="pf-v6-c-alert__icon"><${Icon} name=${kind} /></div>
    <p class="pf-v6-c-alert__title"><span class="pf-v6-screen-reader">${SEVERITIES[kind]()} </span>${title}</p>
    ${children && html`<div class="pf-v6-c-alert__description">${children}</div>`}
    ${actions && html`<div class="pf-v6-c-alert__action-group">${actions}</div>`}
  </div>`;

/** @param {{ error: { title: string, text: string } | null }} props what `describeError` returned */
export const ErrorAlert = ({ error }) => error && html`<${Alert} kind="danger" title=${error.title}>
  ${error.text && html`<p>${error.text}</p>`}<//>`;

/** @param {{ color: string, children?: any }} props */
export const Label = ({ color, children }) => html`
  <span class=${`pf-v6-c-label pf-m-filled pf-m-${color}`}><span class="pf-v6-c-label__content">
    <span class="pf-v6-c-label__text">${children}</span>
  </span></span>`;

/** @param {{ label: string, size?: string }} props */
export const Spinner = ({ label, size = "md" }) => html`
  <svg class=${`pf-v6-c-spinner pf-m-${size}`} role="progressbar" viewBox="0 0 100 100" aria-label=${label}>
    <circle class="pf-v6-c-spinner__path" cx="50" cy="50" r="45" fill="none" />
  </svg>`;

/** @param {{ rows: ([any, any] | false | undefined | null | "")[] }} props */
export const DescriptionList = ({ rows }) => html`
  <dl class="pf-v6-c-description-list pf-m-horizontal-on-sm">${rows.filter(Boolean).map(row => {
    const [term, value] = /** @type {[any, any]} */ (row);
    return html`<div class="pf-v6-c-description-list__group">
      <dt class="pf-v6-c-description-list__term"><span class="pf-v6-c-description-list__text">${term}</span></dt>
      <dd class="pf-v6-c-description-list__description"><div class="pf-v6-c-description-list__text">${value}</div></dd>
    </div>`;
  })}</dl>`;

/**
 * A table that becomes a list of cards on a narrow screen. A cell of a column without a title holds actions.
 * @param {{ label: string, columns: string[], rows: { key: string, cells: any[] }[] }} props
 */
export const Table = ({ label, columns, rows }) => html`
  <table class="pf-v6-c-table pf-m-compact pf-m-grid-md" aria-label=${label} role="grid">
    <thead class="pf-v6-c-table__thead"><tr class="pf-v6-c-table__tr" role="row">
      ${columns.map(title => html`<th class="pf-v6-c-table__th" scope="col" role="columnheader">
        ${title || html`<span class="pf-v6-screen-reader">${_("Actions")}</span>`}</th>`)}
    </tr></thead>
    <tbody class="pf-v6-c-table__tbody" role="rowgroup">${rows.map(({ key, cells }) => html`
      <tr class="pf-v6-c-table__tr" role="row" key=${key} data-key=${key}>${cells.map((cell, index) => html`
        <td class=${columns[index] ? "pf-v6-c-table__td" : "pf-v6-c-table__td pf-v6-c-table__action"} role="gridcell"
          data-label=${columns[index] || undefined}>${cell}</td>`)}
      </tr>`)}
    </tbody>
  </table>`;

/** @param {{ label: string, children?: any, open?: boolean }} props */
export function Expandable({ label, children, open = false }) {
  const [expanded, setExpanded] = useState(open);
  return html`<div class=${`pf-v6-c-expandable-section${expanded ? " pf-m-expanded" : ""}`}>
    <div class="pf-v6-c-expandable-section__toggle">
      <button type="button" class="pf-v6-c-button pf-m-link" aria-expanded=${expanded} onClick=${() => setExpanded(!expanded)}>
        <span class="pf-v6-c-button__icon pf-m-start"><span class="pf-v6-c-expandable-section__toggle-icon"><${Icon} name="expand" /></span></span>
        <span class="pf-v6-c-button__text">${label}</span>
      </button>
    </div>
    ${expanded && html`<div class="pf-v6-c-expandable-section__content">${children}</div>`}
  </div>`;
}

/** @param {{ id: string, label: any, checked: boolean, onChange: (checked: boolean) => void, type?: string, name?: string, help?: any }} props */
export const Choice = ({ id, label, checked, onChange, type = "check", name, help }) => html`
  <div class=${`pf-v6-c-${type}`}>
    <input class=${`pf-v6-c-${type}__input`} type=${type === "check" ? "checkbox" : "radio"} id=${id} name=${name} checked=${checked}
       onChange=${(/** @type {any} */ event) => onChange(event.target.checked)} />
    <label class=${`pf-v6-c-${type}__label`} for=${id}>${label}</label>
    ${help && html`<span class=${`pf-v6-c-${type}__description`}>${help}</span>`}
  </div>`;

/** @param {{ id: string, label: string, checked: boolean, onChange: (checked: boolean) => void }} props */
export const Switch = ({ id, label, checked, onChange }) => html`
  <label class="pf-v6-c-switch" for=${id}>
    <input class="pf-v6-c-switch__input" type="checkbox" role="switch" id=${id} checked=${checked} aria-labelledby=${`${id}-label`}
       onChange=${(/** @type {any} */ event) => onChange(event.target.checked)} />
    <span class="pf-v6-c-switch__toggle"></span>
    <span class="pf-v6-c-switch__label" id=${`${id}-label`}>${label}</span>
  </label>`;

/** @param {{ id?: string, label: string, help?: any, error?: string, children?: any, group?: boolean }} props */
export const Field = ({ id, label, help, error, children, group = false }) => html`
  <div class="pf-v6-c-form__group" role=${group ? "group" : undefined} aria-labelledby=${group ? `${id}-label` : undefined}>
    <div class="pf-v6-c-form__group-label">${group
      ? html`<span class="pf-v6-c-form__label" id=${`${id}-label`}><span class="pf-v6-c-form__label-text">${label}</span></span>`
      : html`<label class="pf-v6-c-form__label" for=${id}><span class="pf-v6-c-form__label-text">${label}</span></label>`}</div>
    <div class=${`pf-v6-c-form__group-control${group ? " pf-m-stack" : ""}`}>
      ${children}
      ${(help || error) && html`<div class="pf-v6-c-form__helper-text" id=${`${id}-help`} aria-live="polite">
        <div class="pf-v6-c-helper-text"><div class=${`pf-v6-c-helper-text__item${error ? " pf-m-error" : ""}`}>
          <span class="pf-v6-c-helper-text__item-text">${error || help}</span>
        </div></div></div>`}
    </div>
  </div>`;

/** @param {{ id: string, value: string, onInput: (value: string) => void, error?: string, [attribute: string]: any }} props */
export const TextInput = ({ id, value, onInput, error, ...rest }) => html`
  <span class=${`pf-v6-c-form-control${error ? " pf-m-error" : ""}`}>
    <input type="text" id=${id} value=${value} aria-invalid=${error ? "true" : undefined} autocomplete="off" spellcheck=${false}
       onInput=${(/** @type {any} */ event) => onInput(event.target.value)} ...${rest} />
  </span>`;

/** @param {{ id: string, value: string, onChange: (value: string) => void, children?: any }} props */
export const Select = ({ id, value, onChange, children }) => html`
  <span class="pf-v6-c-form-control">
    <select id=${id} value=${value} onChange=${(/** @type {any} */ event) => onChange(event.target.value)}>${children}</select>
  </span>`;

/** @param {{ text: string, label: string }} props */
export const CodeBlock = ({ text, label }) => html`
  <div class="pf-v6-c-code-block"><div class="pf-v6-c-code-block__content">
    <pre class="pf-v6-c-code-block__pre" tabindex="0" role="region" aria-label=${label}><code class="pf-v6-c-code-block__code">${text}</code></pre>
  </div></div>`;
