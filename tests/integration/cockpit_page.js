// SPDX-License-Identifier: LGPL-2.1-or-later
// A browser's part of Cockpit, as far as its cockpit.js needs one to run a page's script: what it
// takes for a WebSocket is a cockpit-bridge. It ends when the page has closed its last channel.
// Usage: node cockpit_page.js SCRIPT
"use strict";
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const vm = require("node:vm");
const zlib = require("node:zlib");

const LIBRARY = "/usr/share/cockpit/base1/cockpit.js";

class BridgeSocket {
    readyState = 0;

    constructor() {
        this.channels = new Set();
        this.unread = Buffer.alloc(0);
        this.bridge = spawn("cockpit-bridge", { stdio: ["pipe", "pipe", "inherit"] });
        this.bridge.stdout.on("data", data => this.read(data));
        this.bridge.on("exit", (code, signal) => this.end(code, signal));
        setImmediate(() => {
            this.readyState = 1;
            this.onopen({});
        });
    }

    // The bridge's frames are "LENGTH\nCHANNEL\nPAYLOAD", a message is what follows the length.
    read(data) {
        this.unread = Buffer.concat([this.unread, data]);
        for (;;) {
            const end = this.unread.indexOf("\n");
            const length = Number(this.unread.subarray(0, end));
            if (end < 0 || this.unread.length < end + 1 + length) return;
            const message = this.unread.subarray(end + 1, end + 1 + length).toString();
            this.unread = this.unread.subarray(end + 1 + length);
            this.onmessage({ data: this.passed(message, { "channel-seed": "1:" }) });
        }
    }

    send(message) {
        const payload = Buffer.from(this.passed(message, {}));
        this.bridge.stdin.write(Buffer.concat([Buffer.from(`${payload.length}\n`), payload]));
    }

    // A message as it goes on. cockpit-ws, which is not here, adds to the first one of each side.
    passed(message, more) {
        if (message[0] !== "\n") return message;
        const control = JSON.parse(message);
        if (control.problem) console.error("The bridge says", message.trim());
        if (control.command === "open") this.channels.add(control.channel);
        if (control.command === "close" && this.channels.delete(control.channel) && !this.channels.size) {
            setImmediate(() => this.close());
        }
        return control.command === "init" ? "\n" + JSON.stringify({ ...control, host: "localhost", ...more }) : message;
    }

    close() {
        this.closed = true;
        this.bridge.kill();
    }

    end(code, signal) {
        if (!this.closed) console.error("The bridge has ended with", code ?? signal);
        process.exit(this.closed ? 0 : 1);
    }
}

function run(path) {
    const text = fs.existsSync(path) ? fs.readFileSync(path) : zlib.gunzipSync(fs.readFileSync(path + ".gz"));
    vm.runInThisContext(text.toString(), { filename: path });
}

const nothing = { querySelector: () => null, querySelectorAll: () => [], addEventListener() {} };
Object.assign(globalThis, {
    addEventListener() {},
    document: { ...nothing, head: nothing },
    localStorage: { getItem: () => null },
    sessionStorage: {},
    location: new URL("http://localhost/cockpit/@localhost/example/index.html"),
    name: "",
    parent: globalThis,
    window: globalThis,
    WebSocket: BridgeSocket,
});
globalThis.CustomEvent ??= class extends Event {
    constructor(type, { detail, ...fields }) {
        super(type, fields);
        this.detail = detail;
    }
};

run(LIBRARY);
run(process.argv[2]);
