// SPDX-License-Identifier: LGPL-2.1-or-later
// D-Bus values as cockpit.js has them, and as the page has them.

/** @type {Record<string, string>} */
const SIGNATURES = { boolean: "b", string: "s", number: "u", object: "as" };

/**
 * The value without the variants in it, at any depth.
 * @param {any} value
 * @returns {any}
 */
export function toPlain(value) {
  if (Array.isArray(value)) return value.map(toPlain);
  if (value === null || typeof value !== "object") return value;
  const keys = Object.keys(value);
  if (keys.length === 2 && "t" in value && "v" in value) return toPlain(value.v);
  return Object.fromEntries(keys.map(key => [key, toPlain(value[key])]));
}

/**
 * Options as a verb takes them, a{sv}. Those that are undefined are left out.
 * @param {Record<string, boolean | string | number | string[] | undefined>} options
 */
export function toVariants(options) {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([key, value]) => [key, { t: SIGNATURES[typeof value], v: value }]));
}
