import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startTestGateway, type TestGateway, type TestGatewayOptions } from './gateway.ts';
import { noteKey } from './secrets.ts';
import { type Ended, PROJECT, spawned } from './spawned.ts';
import { type InTerminal, inTerminal, type TerminalOptions } from './terminal.ts';

/** The real command line, by its launcher, against a real gateway over TLS. */
export interface CommandLine {
  readonly gateway: TestGateway;
  /** What makes every command ask this gateway, as an operator with every right. */
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  run(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Ended>;
  /** With standard input. */
  fed(args: readonly string[], input: string): Promise<Ended>;
  terminal(args: readonly string[], options?: TerminalOptions): InTerminal;
}

export const LAUNCHER = join(PROJECT, 'bin/fluxgate');

export async function startCommandLine(
  t: Pick<TestContext, 'after'>,
  options: TestGatewayOptions = {},
): Promise<CommandLine> {
  const gateway = await startTestGateway(t, options);
  const operator = await gateway.pki.operator('sam@example.com');
  noteKey(operator.keyPem);
  const put = async (name: string, text: string): Promise<string> => {
    const path = join(gateway.directory, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const environment = {
    HOME: gateway.directory,
    API_URL: `https://localhost:${gateway.port}`,
    API_CA_FILE: await put('ca.pem', gateway.serverCaPem),
    API_CERT_FILE: await put('operator.crt', operator.chainPem),
    API_KEY_FILE: await put('operator.key', operator.keyPem),
  };
  return {
    gateway,
    environment,
    directory: gateway.directory,
    run: (args, more = {}) =>
      spawned(t, [LAUNCHER, ...args], { environment: { ...environment, ...more } }).ended,
    async fed(args, input) {
      const file = await put('input', input);
      const command = `exec "$0" "$@" < '${file}'`;
      return await spawned(t, ['/bin/sh', '-c', command, LAUNCHER, ...args], { environment }).ended;
    },
    terminal: (args, { environment: more = {}, ...size } = {}) =>
      inTerminal(t, [LAUNCHER, ...args], { environment: { ...environment, ...more }, ...size }),
  };
}
