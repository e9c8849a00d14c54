// SPDX-License-Identifier: LGPL-2.1-or-later
// What the page uses of cockpit.js, by its documentation, and the records of org.dockmgr1.

interface CockpitError { name?: string; problem?: string; message?: string }
type CockpitListener = (event: any, ...details: any[]) => void;
interface CockpitEvents { addEventListener(type: string, listener: CockpitListener): void }
interface CockpitDBusProxy extends CockpitEvents { path: string; valid: boolean; data: Record<string, any>; [property: string]: any }
interface CockpitDBusProxies extends CockpitEvents { wait(callback: () => void): void }
interface CockpitDBusClient extends CockpitEvents {
    call(path: string, iface: string, method: string, args: any[]): PromiseLike<any[]>;
    proxy(iface: string, path: string): CockpitDBusProxy;
    proxies(iface: string, path: string): CockpitDBusProxies;
    close(): void;
}
declare const cockpit: CockpitEvents & {
    language: string;
    hidden: boolean;
    manifests: Record<string, unknown>;
    location: { path: string[]; go(path: string[]): void };
    transport: { control(command: string, options: object): void };
    gettext(text: string): string;
    format(template: string, ...values: any[]): string;
    format_bytes(bytes: number): string;
    format_bytes_per_sec(rate: number): string;
    message(error: CockpitError): string;
    dbus(name: string | null, options: object): CockpitDBusClient;
    spawn(argv: string[], options?: object): PromiseLike<string>;
    user(): PromiseLike<{ id: number; name: string }>;
    jump(path: string): void;
};

interface Remedy { id?: string; text?: string; args?: Record<string, any>; command?: string }
interface Message { id?: string; text: string; args?: Record<string, any>; remedy?: Remedy | string }
interface Source { name: string; title: string; prefix: string; region: string; notes: string; intranet: boolean }
interface Version { version: string; release: string; built: string; size: number; installed: boolean }
interface Finding { mirror: string; verdict: string; text: string; cause?: Message; latency: number; throughput: number; seconds: number; differs: boolean }
interface PackageChange { package: string; replaces?: string; repository?: string; reason?: string | Message; "download-bytes": number; "disk-bytes": number }
interface Plan {
    changed: boolean; digest: string; install?: PackageChange[]; upgrade?: PackageChange[]; downgrade?: PackageChange[];
    remove?: PackageChange[]; diff?: string; actions?: (string | Message)[]; stops?: string[]; notes?: (string | Message)[]; volumes?: string[];
    deletes?: string[]; purge?: { path: string; bytes: number }[]; counts?: Record<string, number>; "download-bytes": number; "disk-bytes": number; refusal?: string | Message;
}
interface Job {
    path: string; Id: string; Kind: string; InitiatorUid: number; CreatedAt: number; Unit: string; Stage: string; Progress: number;
    Message: string; MessageId?: string; MessageArgs?: Record<string, any>; Cancellable: boolean; State: string; ErrorName: string;
    ErrorMessage: string; ErrorDetails?: Message; Result: Record<string, any>; FinishedAt: number; Options?: Record<string, any>;
    DryRun?: boolean; Origin?: string; BytesDone?: number; BytesTotal?: number; Rate?: number; Item?: number; Items?: number; lookup?: boolean;
}
interface Status {
    installed: boolean; packages: Record<string, string>; source: string; "repository-file": string; "service-state": string;
    "engine-version": string; "mirrors-configured": string[]; "mirrors-active": string[]; "mirrors-drift": boolean; platform: string;
    "active-job": string; problems: Message[]; registries?: Registry[]; "mirror-checks"?: MirrorCheck[];
}
interface MirrorCheck { registry: string; mirror: string; verdict: string; text: string; "checked-at": number }
interface Registry {
    registry: string; mirrors: string[]; file: string; managed: boolean;
}
type PageStore = import("./store.js").Store;
type Options = Record<string, boolean | string | number | string[] | undefined>;
interface State {
    status: Status | null; permissions: Record<string, string>; jobs: Job[]; admin: boolean | null; desktop: boolean; epoch: number;
    problem: { name: string; message: string; details?: Message | null } | null; properties: Record<string, any>;
    users: Record<number, string>; host: string;
}
