// SPDX-License-Identifier: LGPL-2.1-or-later
// What the service says by names and ids, in the user's language.

import { TEMPLATES } from "./messages.js";

const _ = cockpit.gettext;

/** @type {Record<string, () => string>} */
const KINDS = {
  install: () => _("Installation"), "set-mirror": () => _("Change of mirrors"), probe: () => _("Probe of mirrors"),
  uninstall: () => _("Removal"), versions: () => _("List of versions"), "probe-sources": () => _("Measurement of sources"),
};

/** @type {Record<string, () => [string, string]>} text and color */
const STATES = {
  running: () => [_("Running"), "blue"], done: () => [_("Done"), "green"], failed: () => [_("Failed"), "red"],
  cancelled: () => [_("Canceled"), "orange"], interrupted: () => [_("Interrupted"), "red"],
};

/** @type {Record<string, () => string>} */
const STAGES = {
  preparing: () => _("Preparing"), metadata: () => _("Reading the repository"), resolving: () => _("Resolving packages"),
  downloading: () => _("Downloading packages"), checking: () => _("Checking packages"), installing: () => _("Installing packages"),
  configuring: () => _("Configuring Docker"), starting: () => _("Starting Docker"), stopping: () => _("Stopping Docker"),
  removing: () => _("Removing packages"), verifying: () => _("Verifying the result"), probing: () => _("Probing mirrors"),
  purging: () => _("Deleting data"), finished: () => _("Finished"),
};

/** @type {Record<string, () => string>} */
const VERDICTS = {
  ok: () => _("Works"), unresolvable: () => _("Unknown host name"), refused: () => _("Connection refused"),
  unreachable: () => _("Not reachable"), timeout: () => _("No answer in time"), untrusted: () => _("Certificate not trusted"),
  broken: () => _("Connection broken"), denied: () => _("Access denied"), "rate-limited": () => _("Too many requests"),
  missing: () => _("Image not found"), failing: () => _("Server error"), corrupt: () => _("Damaged data"),
  "not-a-registry": () => _("Not a registry"), proxy: () => _("Proxy failed"), misconfigured: () => _("Configuration error"),
};

/** @type {Record<string, () => string>} */
const SERVICE_STATES = {
  active: () => _("Running"), inactive: () => _("Stopped"), failed: () => _("Failed"), activating: () => _("Starting"),
  deactivating: () => _("Stopping"), reloading: () => _("Reloading"),
};

const RAISE = () => _("Turn on administrative access to do this.");

/** @type {Record<string, () => string>} What an error means, by the last part of its name. */
const ERRORS = {
  AccessDenied: RAISE, InteractiveAuthorizationRequired: RAISE, "access-denied": RAISE,
  Busy: () => _("Another job is changing this host"), NotInstalled: () => _("Docker is not installed"),
  ConflictingPackages: () => _("Other packages are in the way"), SourceUnreachable: () => _("The package source cannot be reached"),
  SignatureRejected: () => _("The signature of a package is not valid"), PackageManagerLocked: () => _("The package manager is in use"),
  ResolutionFailed: () => _("The packages cannot be installed together"), TransactionFailed: () => _("The package transaction failed"),
  ConfigInvalid: () => _("A configuration file is not valid"), ConfigConflict: () => _("A configuration file is in the way"),
  MirrorUnreachable: () => _("A mirror does not work"), ServiceFailed: () => _("A service failed"),
  RolledBack: () => _("The change was undone"), NotCancellable: () => _("The job cannot be canceled now"),
  Cancelled: () => _("Canceled"), Interrupted: () => _("Interrupted"), InsufficientSpace: () => _("There is not enough disk space"),
  UnsupportedPlatform: () => _("This system is not supported"), KernelModuleMissing: () => _("A kernel module is missing"),
  ContainersRunning: () => _("Containers are running"), UnsafePath: () => _("A folder cannot be deleted safely"),
  WriteFailed: () => _("A file could not be written"), PlanChanged: () => _("The plan has changed"),
  InvalidArgs: () => _("The request is not valid"), LimitsExceeded: () => _("Too many requests at once"),
  ServiceUnknown: () => _("The service cannot be reached"), "not-found": () => _("The service cannot be reached"),
  NoReply: () => _("The service did not answer"), disconnected: () => _("The connection was lost"),
};
const WITHOUT_TEXT = [ERRORS.AccessDenied];

/**
 * @param {Record<string, () => any>} table
 * @param {string} key
 */
const lookUp = (table, key) => Object.hasOwn(table, key) ? table[key]() : key;

/** @param {string} kind */
export const describeKind = kind => lookUp(KINDS, kind);
/** @param {string} stage */
export const describeStage = stage => lookUp(STAGES, stage);
/** @param {string} verdict */
export const describeVerdict = verdict => lookUp(VERDICTS, verdict);
/** @param {string} state of the unit */
export const describeService = state => lookUp(SERVICE_STATES, state);

/**
 * @param {string} state
 * @returns {[string, string]} text and color
 */
export const describeState = state => Object.hasOwn(STATES, state) ? STATES[state]() : [state, "grey"];

/**
 * A sentence of the service, by its id where this page knows that, else in the service's English.
 * @param {string | Message | null | undefined} message
 * @returns {string}
 */
export function translateMessage(message) {
  if (!message) return "";
  if (typeof message === "string") return message;
  const template = Object.hasOwn(TEMPLATES, message.id ?? "") ? _(TEMPLATES[message.id ?? ""]) : null;
  return template === null ? message.text : fillTemplate(template, message.args ?? {});
}

/**
 * The sentence, and what to do. The English text has both.
 * @param {string | Message} message
 */
export function translateWithAdvice(message) {
  const sentence = translateMessage(message);
  if (typeof message === "string") return sentence;
  const remedy = message.remedy;
  if (sentence === message.text || !remedy || typeof remedy === "string") return sentence;
  const advice = translateMessage(/** @type {Message} */ (remedy));
  return advice && sentence ? `${sentence}${/[。！？]$/.test(sentence) ? "" : " "}${advice}` : sentence || advice;
}

/**
 * @param {string} template with fields such as {url}; {{ and }} stand for braces
 * @param {Record<string, any>} values
 */
export function fillTemplate(template, values) {
  return template.replace(/\{\{|\}\}|\{(\w+)[^{}]*\}/g, (found, name) => name === undefined ? found[0] : formatValue(values[name]));
}

/**
 * @param {any} value
 * @returns {string}
 */
function formatValue(value) {
  if (Array.isArray(value)) return value.map(formatValue).join(_(", "));
  return value !== null && typeof value === "object" ? translateMessage(value) : String(value ?? "");
}

/**
 * @param {{ name: string, message: string, details?: Message | null }} error
 * @returns {{ title: string, text: string }} what it means, and the service's sentence about it
 */
export function describeError(error) {
  const key = error.name.split(".").pop() ?? "";
  const known = Object.hasOwn(ERRORS, key) ? ERRORS[key] : null;
  const text = error.details ? translateWithAdvice(error.details) : error.message;
  if (!known) return { title: _("The request failed"), text };
  return { title: known(), text: WITHOUT_TEXT.includes(known) ? "" : text };
}
