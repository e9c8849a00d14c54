// SPDX-License-Identifier: LGPL-2.1-or-later
// The few pictures of the page, drawn on a grid of 16 by 16.

import { html } from "./html.js";

const DISC = "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Z";
/** @type {Record<string, string>} */
const PATHS = {
  success: `${DISC}m-1.2 9.9L3.9 8 5 6.9l1.8 1.8L11 4.5l1.1 1.1Z`,
  info: `${DISC}m-.8 3h1.6v1.6H7.2Zm0 3h1.6v5H7.2Z`,
  danger: `${DISC}m-.8 3h1.6v5H7.2Zm0 6.3h1.6v1.6H7.2Z`,
  warning: "M8 1 .5 14.5h15Zm-.8 5h1.6v4.5H7.2Zm0 5.6h1.6v1.6H7.2Z",
  up: "M8 3 2.5 8.5l1.4 1.4L7 6.8V14h2V6.8l3.1 3.1 1.4-1.4Z",
  down: "M8 13l5.5-5.5-1.4-1.4L9 9.2V2H7v7.2L3.9 6.1 2.5 7.5Z",
  remove: "M6 1v1H2v2h12V2h-4V1Zm-3 4 .8 10h8.4L13 5Z",
  close: "M3.4 2 2 3.4 6.6 8 2 12.6 3.4 14 8 9.4l4.6 4.6 1.4-1.4L9.4 8 14 3.4 12.6 2 8 6.6Z",
  expand: "M5 2.5 10.5 8 5 13.5 6.4 15l7-7-7-7Z",
  engine: "M1 8h2.6v2.6H1Zm3.2 0h2.6v2.6H4.2Zm3.2 0H10v2.6H7.4ZM4.2 4.8h2.6v2.6H4.2Zm3.2 0H10v2.6H7.4Zm0-3.2H10v2.6H7.4ZM.6 11.4h14.8A6 6 0 0 1 9.6 15H5.5a5 5 0 0 1-4.9-3.6Z",
};

/** @param {{ name: string }} props */
export const Icon = ({ name }) => html`
  <svg class="pf-v6-svg" viewBox="0 0 16 16" width="1em" height="1em" fill="currentColor" fill-rule="evenodd" aria-hidden="true">
    <path d=${PATHS[name]} />
  </svg>`;
