import type { Variable } from './config-names.ts';
import { StartupError } from './errors.ts';
import { WORKER_LIMITS } from './limits-workers.ts';
import { type Networks, parseNetworks } from './networks.ts';

/** How the text of a variable is read. Each reader throws StartupError with one line that names the variable. */

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface TokenSource {
  readonly inline: string | undefined;
  readonly file: string | undefined;
}

export const nothing = (): undefined => undefined;
export const asIs = (text: string): string => text;

export function required(name: Variable, what: string): () => never {
  return refuse(`${name} is required: the path of ${what} (PEM)`);
}

export function oneOf<T extends string>(values: readonly T[]): (text: string, name: Variable) => T {
  return (text, name) => {
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) throw new StartupError(`${name}="${text}" is not one of: ${values.join(', ')}`);
    return value;
  };
}

/** Whoever is trusted as a proxy may say to be anybody; that the whole world is trusted is nobody's intention. */
export function proxies(text: string, name: Variable): Networks {
  const networks = parseNetworks(text, name);
  const everybody = networks.ranges.find((range) => /\/0+$/.test(range));
  if (everybody !== undefined) {
    throw new StartupError(
      `${name}: ${everybody} lets anybody name any source address; name the load balancers`,
    );
  }
  return networks;
}

export function wholeNumber(min: number, max: number): (text: string, name: Variable) => number {
  return (text, name) => {
    const value = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new StartupError(`${name}="${text}" is not a whole number from ${min} to ${max}`);
  };
}

export function workerCount(text: string, name: Variable): number | 'auto' {
  if (text === 'auto') return 'auto';
  return wholeNumber(1, WORKER_LIMITS.workersMax)(text, name);
}

export function onOrOff(text: string, name: Variable): boolean {
  return oneOf(['on', 'off'] as const)(text, name) === 'on';
}

export function listenAddress(text: string, name: Variable): ListenAddress {
  const match = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9.-]+)):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.['port']);
  const host = match?.groups?.['v6'] ?? match?.groups?.['host'];
  if (host === undefined || !(port >= 0 && port <= 65_535)) {
    throw new StartupError(`${name}="${text}" is not HOST:PORT, such as 0.0.0.0:8443 or [::]:8443`);
  }
  return Object.freeze({ host, port });
}

export function databaseUrl(text: string, name: Variable): string {
  if (text === 'sqlite::memory:' || /^sqlite:\/\/[^?#]+(\?mode=rwc)?$/.test(text)) return text;
  throw new StartupError(`${name} is neither sqlite://PATH nor sqlite::memory:`);
}

export function writeTokens(inline: string | undefined, file: string | undefined): TokenSource | undefined {
  return inline === undefined && file === undefined ? undefined : { inline, file };
}

export function refuse(message: string): () => never {
  return () => {
    throw new StartupError(message);
  };
}
