// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers and times as people of the session's language write them.

const _ = cockpit.gettext;
const MICROSECONDS = 1000; // to the millisecond

const getLocale = () => (cockpit.language || "en").replace("_", "-");

/** @param {number} bytes */
export const formatBytes = bytes => cockpit.format_bytes(bytes) || "0";

/** @param {number} rate bytes a second */
export const formatRate = rate => cockpit.format_bytes_per_sec(rate);

/** @param {number} time microseconds since the epoch */
export const formatDate = time => new Date(time / MICROSECONDS).toLocaleString(getLocale(), { dateStyle: "medium", timeStyle: "short" });

/**
 * @param {number} time microseconds since the epoch
 * @param {number} [now] milliseconds since the epoch
 */
export function formatAge(time, now = Date.now()) {
  const seconds = Math.max(0, now - time / MICROSECONDS) / 1000;
  const format = new Intl.RelativeTimeFormat(getLocale(), { numeric: "auto" });
  /** @type {[Intl.RelativeTimeFormatUnit, number][]} */
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const found = units.find(([, length]) => seconds >= length);
  return found ? format.format(-Math.floor(seconds / found[1]), found[0]) : _("just now");
}

/** @param {number} seconds */
export function formatDuration(seconds) {
  if (seconds < 60) return cockpit.format(_("$0 s"), seconds < 10 ? seconds.toFixed(1) : Math.round(seconds));
  return cockpit.format(_("$0 min"), Math.round(seconds / 60));
}

/**
 * "42 MB of 80 MB, 59 MB/s, package 1 of 6", as far as it is known.
 * @param {Job} job
 */
export function formatNumbers(job) {
  const parts = [];
  if (job.BytesTotal) parts.push(cockpit.format(_("$0 of $1"), formatBytes(job.BytesDone ?? 0), formatBytes(job.BytesTotal)));
  if (job.Rate) parts.push(formatRate(job.Rate));
  if (job.Items && job.Item) parts.push(cockpit.format(_("$0 of $1"), job.Item, job.Items));
  return parts.join(_(", "));
}
