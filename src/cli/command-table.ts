import type { Command } from 'commander';
import type { CommandHost } from './context.ts';
import { registerDemo, registerDev, registerHealthcheck, registerServe } from './server.ts';

/** Adds a command's options, subcommands and action. */
export type RegisterCommand = (command: Command, host: CommandHost) => void;

/** One command, or one family of them. A family's file is loaded when it is asked for, and not before. */
export interface CommandEntry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** The heading in the list of commands. */
  readonly group: string;
  readonly load: () => Promise<RegisterCommand>;
}

const SERVER = 'The gateway:';
const STORE = 'The store, on the machine that has it:';
const FLEET = 'The fleet:';
const POLICY = 'Policies:';

const at =
  (register: RegisterCommand): (() => Promise<RegisterCommand>) =>
  () =>
    Promise.resolve(register);

/** In the order of the help. What serves is at hand at once, because a signal may come at any moment. */
export const COMMANDS: readonly CommandEntry[] = Object.freeze([
  {
    name: 'serve',
    summary: 'serve, configured by the environment (production)',
    group: SERVER,
    load: at(registerServe),
  },
  {
    name: 'healthcheck',
    summary: 'exit 0 if the gateway that this environment configures is ready',
    group: SERVER,
    load: at(registerHealthcheck),
  },
  {
    name: 'dev',
    summary: 'serve on https://localhost:8443 with a development PKI and a demo fleet',
    group: SERVER,
    load: at(registerDev),
  },
  {
    name: 'demo',
    summary: 'a guided tour: a gateway and a small fleet, played and narrated',
    group: SERVER,
    load: at(registerDemo),
  },
  {
    name: 'certs-dev',
    summary: 'mint or renew the development PKI in certs-dev/ and print a Secret for certSecretRef',
    group: SERVER,
    load: async () => (await import('./development.ts')).registerCertsDev,
  },
  {
    name: 'backup',
    summary: 'copy the store to a file, while the gateway runs, and check the copy',
    group: STORE,
    load: async () => (await import('./store.ts')).registerBackup,
  },
  {
    name: 'restore',
    summary: 'put a backup in the place of the store; the gateway must be stopped',
    group: STORE,
    load: async () => (await import('./store.ts')).registerRestore,
  },
  {
    name: 'audit',
    summary: 'the audit trail of a store, live or not',
    group: STORE,
    load: async () => (await import('./audit.ts')).registerAudit,
  },
  {
    name: 'policy',
    summary: 'look at the policies of POLICY_DIR, or of a directory',
    group: POLICY,
    load: async () => (await import('./policy.ts')).registerPolicy,
  },
  {
    name: 'export',
    summary: 'write the fleet of a running gateway into a directory of YAML',
    group: FLEET,
    load: async () => (await import('./directory.ts')).registerExport,
  },
  {
    name: 'import',
    summary: 'plan, and with --yes carry out, what a directory of YAML would change',
    group: FLEET,
    load: async () => (await import('./directory.ts')).registerImport,
  },
]);
