import { type Command, InvalidArgumentError, Option } from 'commander';
import { StartupError } from '../../core/errors.ts';
import { shown } from '../output/text.ts';
import type { StoredObject } from './kinds.ts';
import { annotations, keyValues, labels } from './labels.ts';
import { appended, collected, ENVIRONMENT_NAMES } from './select.ts';

/** Flags of flux-resourceset-cli, and those in its manner, that describe an object. */

type Flags = Readonly<Record<string, unknown>>;

/** How a kind's object is described by flags. */
export interface CreateFlags {
  add(command: Command): Command;
  object(id: string, flags: Flags): StoredObject;
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError('a whole number.');
  return Number(text);
}

/** What was not said is not there. */
function said(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

const pairs = (value: unknown): Readonly<Record<string, string>> | undefined =>
  value === undefined ? undefined : keyValues(value as readonly string[]);

export const CLUSTER_FLAGS: CreateFlags = Object.freeze({
  add: (command: Command) =>
    command
      .option('--cluster-name <text>', 'its name, for people')
      .option('--cluster-dns <dns>', 'the name in its certificate')
      .addOption(new Option('--environment <name>', 'its environment').choices([...ENVIRONMENT_NAMES]))
      .option('--node-count <n>', 'how many nodes it has', wholeNumber)
      .option('--vm-image <text>', 'the image of its nodes')
      .option('--k0s-version <text>', 'the version of its Kubernetes')
      .option('--label <key=value>', 'a label; may be repeated', labels),
  object: (id: string, flags: Flags) => ({
    id,
    ...said({
      cluster_name: flags['clusterName'],
      cluster_dns: flags['clusterDns'],
      environment: flags['environment'],
      node_count: flags['nodeCount'],
      vm_image: flags['vmImage'],
      k0s_version: flags['k0sVersion'],
      labels: pairs(flags['label']),
    }),
  }),
});

export const COMPONENT_FLAGS: CreateFlags = Object.freeze({
  add: (command: Command) =>
    assignmentFlags(
      command
        .option('--component-path <path>', 'where it is in its source')
        .option('--component-version <version>', "the catalogue's name of the version")
        .option('--oci-url <url>', 'oci://… or https://…')
        .option('--oci-tag <tag>', 'the tag, or the version of a chart')
        .option('--cluster-env-enabled', 'whether its path differs by environment')
        .option('--depends-on <id>', 'what must be there first; may be repeated', collected)
        .option('--cluster <id>', 'assign it to this cluster as well; may be repeated', collected),
    ),
  object: (id: string, flags: Flags) => ({
    id,
    ...said({
      component_path: flags['componentPath'],
      component_version: flags['componentVersion'],
      oci_url: flags['ociUrl'],
      oci_tag: flags['ociTag'],
      cluster_env_enabled: flags['clusterEnvEnabled'],
      depends_on: flags['dependsOn'],
    }),
  }),
});

export const NAMESPACE_FLAGS: CreateFlags = Object.freeze({
  add: (command: Command) =>
    command
      .option('--label <key=value>', 'a label; may be repeated', labels)
      .option('--annotation <key=value>', 'an annotation; may be repeated', annotations)
      .option('--cluster <id>', 'assign it to this cluster as well; may be repeated', collected),
  object: (id: string, flags: Flags) => ({
    id,
    ...said({ labels: pairs(flags['label']), annotations: pairs(flags['annotation']) }),
  }),
});

export const ROLEBINDING_FLAGS: CreateFlags = Object.freeze({
  add: (command: Command) =>
    command
      .option('--role <name>', 'the Role or ClusterRole to bind')
      .option(
        '--subject <kind:name>',
        'User:NAME, Group:NAME or ServiceAccount:NAMESPACE:NAME; may be repeated',
        appended,
      )
      .option('--cluster <id>', 'assign it to this cluster as well; may be repeated', collected),
  object: (id: string, flags: Flags) => ({
    id,
    ...said({
      role: flags['role'],
      subjects: (flags['subject'] as readonly string[] | undefined)?.map(subject),
    }),
  }),
});

/** How a component is assigned to a cluster. */
export function assignmentFlags(command: Command): Command {
  return command
    .option('--enabled', 'assign it switched on, as it is without this')
    .option('--no-enabled', 'assign it switched off')
    .option('--cluster-oci-tag <tag>', "this tag there, instead of the catalogue's")
    .option('--cluster-component-path <path>', "this path there, instead of the catalogue's");
}

export function assignmentOf(flags: Flags): Readonly<Record<string, unknown>> {
  return {
    enabled: flags['enabled'] !== false,
    ...said({ oci_tag: flags['clusterOciTag'], component_path: flags['clusterComponentPath'] }),
  };
}

function subject(text: string): object {
  const [kind = '', ...rest] = text.split(':');
  if (kind === 'ServiceAccount' && rest.length >= 2) {
    return { kind, namespace: rest[0], name: rest.slice(1).join(':') };
  }
  if ((kind === 'User' || kind === 'Group') && rest.join(':') !== '') return { kind, name: rest.join(':') };
  throw new StartupError(
    `${shown(JSON.stringify(text))} is no subject: User:NAME, Group:NAME or ServiceAccount:NAMESPACE:NAME`,
  );
}
