import { type Command, Option } from 'commander';
import { StartupError } from '../../core/errors.ts';
import { shown } from '../output/text.ts';

/** Which clusters. All that is said must be true of each. */
export interface SelectOptions {
  readonly cluster?: readonly string[];
  readonly environment?: string;
  readonly selector?: string;
}

export interface ClusterSelector {
  readonly ids?: readonly string[];
  readonly environment?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export const ENVIRONMENT_NAMES = ['dev', 'qa', 'uat', 'prod'] as const;

/** For options that may be said several times, each with commas. */
export function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...value.split(',').map((part) => part.trim())].filter((part) => part !== '');
}

/** For options that may be said several times, and may hold commas. */
export function appended(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function selectOptions(command: Command): Command {
  return command
    .option('--cluster <id>', 'this cluster; may be repeated', collected)
    .addOption(new Option('--environment <name>', 'all of an environment').choices([...ENVIRONMENT_NAMES]))
    .option('--selector <labels>', 'all that have these labels: region=us-east,team=web');
}

export function isSelected({ cluster, environment, selector }: SelectOptions): boolean {
  return cluster !== undefined || environment !== undefined || selector !== undefined;
}

export function selectorOf({ cluster, environment, selector }: SelectOptions): ClusterSelector {
  const select = {
    ...(cluster === undefined ? {} : { ids: cluster }),
    ...(environment === undefined ? {} : { environment }),
    ...(selector === undefined ? {} : { labels: keyValues(collected(selector)) }),
  };
  if (Object.keys(select).length === 0) {
    throw new StartupError('say which clusters: --cluster ID, --environment NAME or --selector KEY=VALUE');
  }
  return select;
}

/** key=value, each once. Throws StartupError. */
export function keyValues(texts: readonly string[] = []): Readonly<Record<string, string>> {
  const found = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at < 1) throw new StartupError(`${shown(JSON.stringify(text))} is not KEY=VALUE`);
    found.set(text.slice(0, at), text.slice(at + 1));
  }
  return Object.fromEntries(found);
}
