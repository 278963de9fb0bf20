import type { Cell, Figure, ServerName } from './figures.ts';
import { cellOf, missing, quantile } from './figures.ts';
import type { Measured } from './processes.ts';
import type { Server } from './servers.ts';
import type { Stage } from './stage.ts';

/** One file each below bench/measurements. */
export interface Measurement {
  readonly name: string;
  readonly about: string;
  /** How it is taken, where the name of a figure does not say it; one line below the table. */
  readonly method: string;
  run(stage: Stage): Promise<readonly Figure[]>;
}

/** The store that all but the poll itself are measured with: the largest of at most 10,000 clusters. */
export function mainStore({ size: { stores } }: Stage): number {
  return Math.max(...stores.filter((clusters) => clusters <= 10_000), Math.min(...stores));
}

export const NGINX_MISSING = 'not installed';

/** Values by server and by name, gathered over rounds. */
export class Samples {
  readonly #values = new Map<string, number[]>();

  add(server: string, name: string, value: number): void {
    const key = `${server} ${name}`;
    this.#values.set(key, [...(this.#values.get(key) ?? []), value]);
  }

  cell(server: string, name: string): Cell {
    return cellOf(this.#values.get(`${server} ${name}`) ?? []);
  }
}

/** The bare servers beside a gateway: same TLS, a constant body of its size. `nginx` is not there where it is not installed. */
export async function bareServers(
  stage: Stage,
  options: { readonly bodyOctets: number; readonly close: boolean },
): Promise<ReadonlyMap<ServerName, Server>> {
  const nginx = await stage.nginx(options);
  const servers = new Map<ServerName, Server>([['node', await stage.floor(options)]]);
  if (nginx !== undefined) servers.set('nginx', nginx);
  return servers;
}

/** Cells of all three, from samples by their names. */
export function sideBySide(
  samples: Samples,
  servers: ReadonlyMap<ServerName, unknown>,
  name: string,
  fluxgate = 'fluxgate',
): Figure['cells'] {
  return {
    fluxgate: samples.cell(fluxgate, name),
    node: samples.cell('node', name),
    nginx: servers.has('nginx') ? samples.cell('nginx', name) : missing(NGINX_MISSING),
  };
}

const QUIET_MS = 500;
const QUIET_CPU_MS = 25;
const QUIET_TIMEOUT_MS = 20_000;

/** Until what a server does afterwards (rows written behind, garbage) is done, or it never is. */
export async function settle({ size }: Stage, servers: Iterable<Measured>): Promise<void> {
  if (size.name === 'tiny') return;
  const all = [...servers];
  const spent = (): number => all.reduce((sum, server) => sum + server.usage().cpuMs, 0);
  const begun = performance.now();
  for (let before = spent(); performance.now() - begun < QUIET_TIMEOUT_MS; ) {
    await pause(QUIET_MS);
    const now = spent();
    if (now - before < QUIET_CPU_MS * all.length) return;
    before = now;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The p99 of some polls is the slowest of them where there are fewer than a hundred. */
export const p50 = (took: readonly number[]): number => quantile(took, 0.5);
export const p99 = (took: readonly number[]): number => quantile(took, 0.99);
