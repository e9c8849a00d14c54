// SPDX-License-Identifier: LGPL-2.1-or-later
// The logic of the page that needs no browser. PAGE is the folder of the built page.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.cockpit = {
  language: "en",
  gettext: text => text,
  format: (template, ...values) => template.replace(/\$(\d)/g, (_found, index) => values[index]),
  format_bytes: bytes => `${bytes} B`,
  format_bytes_per_sec: rate => `${rate} B/s`,
  message: error => `problem ${error.problem}`,
};
const { toPlain, toVariants } = await import(`${process.env.PAGE}/variants.js`);
const { describeError, fillTemplate, translateMessage } = await import(`${process.env.PAGE}/sentences.js`);
const { checkMirrorUrl } = await import(`${process.env.PAGE}/mirror-url.js`);
const { formatAge, formatDuration, formatNumbers } = await import(`${process.env.PAGE}/format.js`);
const { TEMPLATES } = await import(`${process.env.PAGE}/messages.js`);

const NOW = 1_800_000_000_000; // milliseconds

test("variants are taken out at any depth", () => {
  const value = { a: { t: "aa{sv}", v: [{ b: { t: "s", v: "x" } }] }, t: { t: "u", v: 1 } };
  assert.deepEqual(toPlain(value), { a: [{ b: "x" }], t: 1 });
  assert.deepEqual(toPlain([null, true, { t: "as", v: ["y"] }]), [null, true, ["y"]]);
});

test("options become variants, and those without a value nothing", () => {
  const options = toVariants({ start: true, source: "aliyun", wait: 3, mirrors: ["m"], version: undefined });
  assert.deepEqual(options, {
    start: { t: "b", v: true }, source: { t: "s", v: "aliyun" }, wait: { t: "u", v: 3 }, mirrors: { t: "as", v: ["m"] },
  });
});

test("a message is made of its template, else it is the service's text", () => {
  assert.equal(translateMessage({ id: "unknown-id", text: "English.", args: {} }), "English.");
  assert.equal(translateMessage("As it was."), "As it was.");
  assert.equal(translateMessage(undefined), "");
  TEMPLATES["containers-running"] = "Containers run: {names}; {why}";
  const why = { id: "x", text: "a reason", args: {} };
  const message = { id: "containers-running", text: "", args: { names: ["<b>", "c"], why } };
  assert.equal(translateMessage(message), "Containers run: <b>, c; a reason");
  assert.equal(translateMessage({ id: "constructor", text: "safe", args: {} }), "safe");
});

test("braces are doubled to stand for themselves", () => {
  assert.equal(fillTemplate("{{a}} {b}", { b: 2 }), "{a} 2");
  assert.equal(fillTemplate("{gone}", {}), "");
});

test("a missing right is told as the way to it", () => {
  const denied = { name: "org.freedesktop.DBus.Error.AccessDenied", message: "the password was wrong" };
  assert.deepEqual(describeError(denied), { title: "Turn on administrative access to do this.", text: "" });
  const busy = { name: "org.dockmgr1.Error.Busy", message: "Job 3 runs." };
  assert.deepEqual(describeError(busy), { title: "Another job is changing this host", text: "Job 3 runs." });
  assert.equal(describeError({ name: "toString", message: "m" }).title, "The request failed");
});

test("an error says what to do, once", () => {
  const remedy = { id: "wait-or-cancel", text: "Wait until it ends or cancel it.", args: {}, command: "dockmgrctl jobs" };
  const known = { id: "another-job-runs", text: "Another job is changing this host. Wait until it ends or cancel it.", args: {}, remedy };
  for (const details of [known, { ...known, id: "of-a-newer-version" }]) {
    const { text } = describeError({ name: "org.dockmgr1.Error.Busy", message: details.text, details });
    assert.equal(text, "Another job is changing this host. Wait until it ends or cancel it.");
  }
});

test("URLs of mirrors", () => {
  for (const good of ["https://m.example", " http://m:5000/ ", "https://m.example/path/"]) assert.equal(checkMirrorUrl(good), "");
  for (const bad of ["", "m.example", "ftp://m", "https://", "https://u:p@m", "https://m/?q", "https://m/#f", "https://a b"]) {
    assert.notEqual(checkMirrorUrl(bad), "", bad);
  }
});

test("times and numbers", () => {
  assert.equal(formatAge((NOW - 5_000) * 1000, NOW), "just now");
  assert.equal(formatAge((NOW - 3 * 3600_000) * 1000, NOW), "3 hours ago");
  assert.equal(formatAge((NOW + 60_000) * 1000, NOW), "just now");
  assert.equal(formatDuration(0.25), "0.3 s");
  assert.equal(formatDuration(300), "5 min");
  assert.equal(formatNumbers({ BytesDone: 1, BytesTotal: 4, Rate: 2, Item: 1, Items: 6 }), "1 B of 4 B, 2 B/s, 1 of 6");
  assert.equal(formatNumbers({}), "");
});
