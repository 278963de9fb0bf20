import { type Command, InvalidArgumentError, Option } from 'commander';
import { StartupError } from '../../core/errors.ts';
import { keyValues, labelList } from './labels.ts';

/** Which clusters. All that is said must be true of each. */
export interface SelectOptions {
  readonly cluster?: readonly string[];
  readonly environment?: string;
  /** KEY=VALUE, each. */
  readonly selector?: readonly string[];
}

export interface ClusterSelector {
  readonly ids?: readonly string[];
  readonly environment?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export const ENVIRONMENT_NAMES = ['dev', 'qa', 'uat', 'prod'] as const;

/** For options that may be said several times, each with commas. What names nothing, as a variable that is not set does, is a slip. */
export function collected(value: string, before: readonly string[] = []): readonly string[] {
  const parts = value.split(',').map((part) => part.trim());
  const said = parts.filter((part) => part !== '');
  if (said.length === 0) throw new InvalidArgumentError('It names nothing.');
  return [...before, ...said];
}

/** For options that may be said several times, and may hold commas. */
export function appended(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function selectOptions(command: Command): Command {
  return command
    .option('--cluster <id>', 'this cluster; may be repeated', collected)
    .addOption(new Option('--environment <name>', 'all of an environment').choices([...ENVIRONMENT_NAMES]))
    .option('--selector <labels>', 'all that have these labels: region=us-east,team=web', labelList);
}

export function isSelected({ cluster, environment, selector }: SelectOptions): boolean {
  return cluster !== undefined || environment !== undefined || selector !== undefined;
}

export function selectorOf({ cluster, environment, selector }: SelectOptions): ClusterSelector {
  const select = {
    ...(cluster === undefined ? {} : { ids: cluster }),
    ...(environment === undefined ? {} : { environment }),
    ...(selector === undefined ? {} : { labels: keyValues(selector) }),
  };
  if (Object.keys(select).length === 0) {
    throw new StartupError('say which clusters: --cluster ID, --environment NAME or --selector KEY=VALUE');
  }
  return select;
}
