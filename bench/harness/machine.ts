import { cpus, release, totalmem, type } from 'node:os';
import { shareCores } from './processes.ts';
import { nginxVersion } from './servers.ts';

/** What the figures are of: without it they say nothing. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly openssl: string;
  readonly nginx: string;
  readonly pinning: string;
}

export function describeMachine(): Machine {
  const nginx = nginxVersion();
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
    openssl: process.versions.openssl,
    nginx: nginx === undefined ? 'not installed' : `${nginx.nginx} with OpenSSL ${nginx.openssl}`,
    pinning:
      shareCores(1).server === undefined
        ? 'servers and load share all cores'
        : 'one core for servers, the others for the load',
  };
}

export function machineLine(machine: Machine): string {
  const { cpu, cores, memoryGiB, kernel, node, openssl, nginx, pinning } = machine;
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel}; Node ${node} with OpenSSL ${openssl}; nginx ${nginx}; ${pinning}.`;
}
