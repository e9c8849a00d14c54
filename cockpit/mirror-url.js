// SPDX-License-Identifier: LGPL-2.1-or-later
// A first look at a mirror's URL while it is typed; the service has the last word.

const _ = cockpit.gettext;

/**
 * @param {string} text
 * @returns {string} what is wrong with it, or ""
 */
export function checkMirrorUrl(text) {
  const url = text.trim();
  if (!url) return _("Enter the URL of the mirror.");
  if (/\s/.test(url) || !/^https?:\/\/[^/]/i.test(url) || !URL.canParse(url)) {
    return _("This is not the URL of a registry. It begins with https:// or http://.");
  }
  const { username, password } = new URL(url);
  if (username || password) return _("A mirror's URL cannot have a user name or a password.");
  return /[?#]/.test(url) ? _("A mirror's URL cannot have a query or a fragment.") : "";
}
