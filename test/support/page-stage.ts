import { generateKeyPairSync } from 'node:crypto';
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { projectCopy } from '../cli/project-copy.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from './gateway.ts';
import { readPage } from './page.ts';
import type { PageOptions } from './page-shell.ts';
import { createTestPki, type MintedChain } from './pki.ts';
import { noteKey } from './secrets.ts';
import { freePort, PROJECT } from './spawned.ts';

/** In kubectl's place: keeps what it is given to apply, gives the Secret that is asked for, and takes part in nothing else. */
const KUBECTL = `#!/usr/bin/env bash
echo "$@" >> "$RECORD/calls"
case "$*" in
  *"--dry-run=client"*) echo "{apiVersion: v1, kind: ConfigMap, metadata: {name: fluxgate-crls}}" ;;
  "apply -f -") cat > "$RECORD/applied-$(date +%s%N).yaml" ;;
  "apply -f "*) cp "$3" "$RECORD/applied-$(date +%s%N).yaml" ;;
  "apply -k "*) cp "$3/kustomization.yaml" "$RECORD/kustomization.yaml" ;;
  *"get secret"*) base64 -w0 "$API_CA_FILE" ;;
esac
`;

/** What `npm run -s fluxgate -- …` comes to, without npm's own third of a second; the pages of a clone have the real one. */
const NPM = `#!/usr/bin/env bash
[ "$1 $2 $3 $4" = "run -s fluxgate --" ] || { echo "not here: npm $*" >&2; exit 1; }
shift 4
exec node_modules/.bin/node src/main.ts "$@"
`;

/** Where the page's reader stands; `directory` is the project's root for them, in which they may write. */
export interface Stage extends PageOptions {
  readonly gateway: TestGateway;
  /** What kubectl was given is in here. */
  readonly record: string;
  /** The gateway signs the end of its audit trail with it. */
  readonly auditKeyPem: string;
  /** Stops the gateway before the page is at its end. */
  stop(): Promise<void>;
}

/** What lets a page's commands be read as they stand beside `npm start`, for pages whose reader only has a clone. */
export async function cloneStage(t: TestContext): Promise<PageOptions> {
  const directory = await projectCopy(t);
  const [port, adminPort] = [await freePort(), await freePort()];
  // What is installed already, `npm ci` has nothing to do with; all else is npm's.
  await mkdir(join(directory, 'bin-of-test'));
  const npm = join(directory, 'bin-of-test/npm');
  await writeFile(npm, `#!/usr/bin/env bash\n[ "$1" = ci ] || exec "${await whereIs('npm')}" "$@"\n`);
  await chmod(npm, 0o755);
  const etc = await mkdtemp(join(tmpdir(), 'fluxgate-etc-'));
  t.after(() => rm(etc, { recursive: true, force: true }));
  await (await createTestPki()).write(etc);
  await mkdir(join(etc, 'var'));
  for (const kind of ['crt', 'key']) await copyFile(join(etc, `server.${kind}`), join(etc, `tls.${kind}`));
  return {
    directory,
    environment: {
      PATH: `${join(directory, 'bin-of-test')}:${process.env['PATH']}`,
      HOME: directory,
      LISTEN_ADDR: `127.0.0.1:${port}`,
      ADMIN_ADDR: `127.0.0.1:${adminPort}`,
    },
    names: {
      'localhost:8443': `localhost:${port}`,
      '127.0.0.1:9090': `127.0.0.1:${adminPort}`,
      // What production has: certificates of its own.
      '/etc/fluxgate': etc,
      '/var/lib/fluxgate': join(etc, 'var'),
    },
  };
}

async function whereIs(command: string): Promise<string> {
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    const path = join(folder, command);
    if ((await readFile(path).catch(() => undefined)) !== undefined) return path;
  }
  throw new Error(`no ${command} on this machine`);
}

/**
 * A clone beside which a gateway serves the demo fleet, as an operator has it: the variables and the function of docs/runbooks/README.md,
 * the variables of the command line, certs-dev/ as `npm start` leaves it, and a kubectl that only keeps what it is given.
 */
export async function operatorStage(t: TestContext): Promise<Stage> {
  const pki = await createTestPki();
  const auditKeyPem = generateKeyPairSync('ed25519')
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
  const gateway = await startTestGateway(t, {
    pki,
    prepare: async (folder) => {
      await writeFile(join(folder, 'audit.key'), auditKeyPem, { mode: 0o600 });
      return { AUDIT_SIGNING_KEY_FILE: join(folder, 'audit.key') };
    },
  });
  noteKey(auditKeyPem);
  const at = (name: string): string => join(gateway.directory, name);
  const directory = at('project');
  for (const name of ['bin', 'record', 'project', 'project/certs-dev']) await mkdir(at(name));
  await writeFile(at('bin/kubectl'), KUBECTL, { mode: 0o755 });
  await writeFile(at('bin/npm'), NPM, { mode: 0o755 });
  for (const name of ['src', 'node_modules', 'bench'])
    await symlink(join(PROJECT, name), join(directory, name));
  for (const name of ['package.json', 'openapi.yaml', '.npmrc']) {
    await copyFile(join(PROJECT, name), join(directory, name));
  }
  for (const name of ['deploy', 'policy']) {
    await cp(join(PROJECT, name), join(directory, name), { recursive: true });
  }
  const keep = async (name: string, text: string): Promise<void> =>
    writeFile(join(directory, 'certs-dev', name), text, { mode: 0o600 });
  const identity = async (name: string, { chainPem, keyPem }: MintedChain): Promise<void> => {
    await keep(`${name}.crt`, chainPem);
    await keep(`${name}.key`, keyPem);
    noteKey(keyPem);
  };
  await keep('server-ca.crt', gateway.serverCaPem);
  await keep('write-token', `${WRITE_TOKEN}\n`);
  await identity('operator', await pki.operator('operator@example.com', ['platform-team']));
  for (const number of ['01', '02', '03']) {
    await identity(`demo-cluster-${number}`, await pki.cluster(`demo-cluster-${number}.k8s.example.com`));
  }
  const url = `https://localhost:${gateway.port}`;
  return {
    gateway,
    directory,
    record: at('record'),
    auditKeyPem,
    stop: () => gateway.gateway.close(),
    setup: readPage('docs/runbooks/README.md').setup ?? '',
    environment: {
      PATH: `${at('bin')}:${join(PROJECT, 'bin')}:${process.env['PATH']}`,
      HOME: gateway.directory,
      RECORD: at('record'),
      // Saves what it is given.
      EDITOR: 'true',
      GATEWAY: url,
      SERVER_CA: 'certs-dev/server-ca.crt',
      OPERATOR: 'certs-dev/operator',
      TRUST: gateway.directory,
      ADMIN: `http://127.0.0.1:${gateway.gateway.adminAddress?.port}`,
      DATABASE_URL: `sqlite://${at('fleet.db')}`,
    },
  };
}
