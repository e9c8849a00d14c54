// SPDX-License-Identifier: LGPL-2.1-or-later
// The renderer: Preact, with templates of htm in place of a compiler for JSX.

import htm from "./htm/index.js";
import { h } from "./preact/index.js";

export { Component, createContext, render } from "./preact/index.js";
export { useContext, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./preact/hooks.js";

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(h);
