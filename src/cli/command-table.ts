import type { Command } from 'commander';
import type { CommandHost } from './context.ts';
import { registerDev, registerHealthcheck, registerServe } from './server.ts';

/** Adds a command's options, subcommands and action. `tree` is the command line with all that every family adds. */
export type RegisterCommand = (command: Command, host: CommandHost, tree: () => Promise<Command>) => void;

/** One command, or one family of them. A family's file is loaded when it is asked for, and not before. */
export interface CommandEntry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** The heading in the list of commands. */
  readonly group: string;
  readonly load: () => Promise<RegisterCommand>;
}

const FLEET = 'The fleet:';
const CHANGES = 'Changes, before and after:';
const TRUST = 'Who is trusted:';
const SERVER = 'The gateway:';
const STORE = 'The store, on the machine that has it:';
const HERE = 'This command line:';

const at =
  (register: RegisterCommand): (() => Promise<RegisterCommand>) =>
  () =>
    Promise.resolve(register);

/** In the order of the help. What serves is at hand at once, because a signal may come at any moment. */
export const COMMANDS: readonly CommandEntry[] = Object.freeze([
  {
    name: 'cluster',
    aliases: ['clusters'],
    summary: 'which clusters there are, and what each is assigned',
    group: FLEET,
    load: async () => (await import('./objects.ts')).registerCluster,
  },
  {
    name: 'component',
    aliases: ['components', 'platform-component', 'platform-components'],
    summary: 'the catalogue of platform components, and which clusters run them',
    group: FLEET,
    load: async () => (await import('./objects.ts')).registerComponent,
  },
  {
    name: 'namespace',
    aliases: ['namespaces'],
    summary: 'the catalogue of namespaces, and which clusters have them',
    group: FLEET,
    load: async () => (await import('./objects.ts')).registerNamespace,
  },
  {
    name: 'rolebinding',
    aliases: ['rolebindings'],
    summary: 'the catalogue of rolebindings, and which clusters have them',
    group: FLEET,
    load: async () => (await import('./objects.ts')).registerRolebinding,
  },
  {
    name: 'fleet',
    summary: 'which clusters polled, what they got, and who is refused',
    group: FLEET,
    load: async () => (await import('./fleet.ts')).registerFleet,
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
  {
    name: 'manifests',
    summary: 'print what a cluster applies to join: identity, credential, providers, ResourceSets, policies',
    group: FLEET,
    load: async () => (await import('./manifest-options.ts')).registerManifests,
  },
  {
    name: 'plan',
    summary: 'what a command would do (plan COMMAND …); plans that wait for a second person',
    group: CHANGES,
    load: async () => (await import('./plan.ts')).registerPlan,
  },
  {
    name: 'diff',
    summary: 'the same as plan COMMAND …, with exit code 1 where something would change',
    group: CHANGES,
    load: async () => (await import('./plan.ts')).registerDiff,
  },
  {
    name: 'revision',
    aliases: ['revisions'],
    summary: 'who changed the fleet, what differs, and the way back',
    group: CHANGES,
    load: async () => (await import('./revision.ts')).registerRevision,
  },
  {
    name: 'trust',
    summary: 'which CAs are trusted, who depends on them, and why somebody is refused',
    group: TRUST,
    load: async () => (await import('./trust.ts')).registerTrust,
  },
  {
    name: 'revoke',
    summary: 'refuse a certificate, a key or a whole cluster, now',
    group: TRUST,
    load: async () => (await import('./revoke.ts')).registerRevoke,
  },
  {
    name: 'token',
    aliases: ['tokens'],
    summary: 'tokens for clusters, readers and operators',
    group: TRUST,
    load: async () => (await import('./token.ts')).registerToken,
  },
  {
    name: 'audit',
    summary: 'the audit trail: of a running gateway, or of a store',
    group: TRUST,
    load: async () => (await import('./audit.ts')).registerAudit,
  },
  {
    name: 'policy',
    summary: 'look at the policies of POLICY_DIR, or of a directory',
    group: TRUST,
    load: async () => (await import('./policy.ts')).registerPolicy,
  },
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
    name: 'doctor',
    summary: 'what is wrong with this configuration, or with the way to a gateway',
    group: SERVER,
    load: async () => (await import('./doctor.ts')).registerDoctor,
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
    load: async () => (await import('./demo-command.ts')).registerDemo,
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
    name: 'context',
    aliases: ['contexts'],
    summary: 'gateways and credentials by name, as kubectl has them',
    group: HERE,
    load: async () => (await import('./context-command.ts')).registerContext,
  },
  {
    name: 'completion',
    summary: 'completion for bash, zsh or fish',
    group: HERE,
    load: async () => (await import('./completion.ts')).registerCompletion,
  },
]);
