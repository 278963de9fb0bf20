/** What a handshake costs the server by the kinds of keys and by the key exchange: one thing is changed at a time. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chainPem, mintCa, mintOperatorCertificate, mintServerCertificate } from '../../certs-dev/mint.ts';
import type { KeyKind } from '../../certs-dev/mint-keys.ts';
import type { Figure } from '../harness/figures.ts';
import { idOf } from '../harness/fleet-store.ts';
import type { Identity } from '../harness/load.ts';
import { type Measurement, Samples, settle } from '../harness/measurement.ts';
import type { Stage } from '../harness/stage.ts';

const KEY: KeyKind = 'P-256';
const KEYS: readonly KeyKind[] = [KEY, 'P-384', 'Ed25519', 'RSA-2048', 'RSA-3072'];
const EXCHANGE = 'X25519MLKEM768';
const EXCHANGES = [EXCHANGE, 'SecP256r1MLKEM768', 'X25519', 'P-256', 'P-384'];
const AT_ONCE = 8;
const CLUSTERS = 10;

interface Handshake {
  readonly server: KeyKind;
  readonly client: KeyKind;
  readonly exchange: string;
}

const idOfKind = ({ server, client, exchange }: Handshake): string => `${server} ${client} ${exchange}`;

export const handshake: Measurement = {
  name: 'handshake',
  about: 'connections with other kinds of keys, and other key exchanges',
  method:
    'A fresh connection and one GET of an operator, whose certificate has been seen before; its CA has a key of the same kind. What is not named is P-256, and X25519MLKEM768.',
  async run(stage) {
    const { handshakes, handshakeRounds, stores } = stage.size;
    const clients = await clientsOf(stage);
    const clusters = Math.min(CLUSTERS, ...stores);
    const samples = new Samples();
    // Some starts less, where the figures say nothing.
    const servers = stage.size.name === 'tiny' ? KEYS.slice(0, 2) : KEYS;
    for (const server of servers) {
      stage.say(`handshakes with a server's key of ${server}`);
      const gateway = await stage.gateway(clusters, { environment: await serverOf(stage, server) });
      const rows = server === KEY ? others() : [{ server, client: KEY, exchange: EXCHANGE }];
      const visit = ({ client, exchange }: Handshake, requests: number) =>
        stage.visit({
          port: gateway.port,
          requests,
          atOnce: AT_ONCE,
          perConnection: 1,
          who: {
            path: `/clusters/${idOf(0)}`,
            as: { ...(clients.get(client) as Identity), groups: exchange },
          },
        });
      // Code that runs for the first times is not what is compared.
      for (const row of rows) await visit(row, handshakes);
      await settle(stage, [gateway]);
      for (let round = 1; round <= handshakeRounds; round++) {
        for (const row of rows) {
          const before = gateway.usage().cpuMs;
          await visit(row, handshakes);
          samples.add(idOfKind(row), 'ms', (gateway.usage().cpuMs - before) / handshakes);
        }
      }
      await stage.stop(gateway);
    }
    const figure = (id: string, what: string, row: Partial<Handshake>): Figure => ({
      id: `handshake-${id}`,
      what: `CPU per connection, ${what}`,
      unit: 'ms',
      cells: {
        fluxgate: samples.cell(idOfKind({ server: KEY, client: KEY, exchange: EXCHANGE, ...row }), 'ms'),
      },
    });
    return [
      ...servers.map((server) => figure(`server-${server}`, `server's key ${server}`, { server })),
      ...KEYS.map((client) => figure(`client-${client}`, `client's and its CA's keys ${client}`, { client })),
      ...EXCHANGES.map((exchange) =>
        figure(`exchange-${exchange}`, `key exchange ${exchange}`, { exchange }),
      ),
    ];
  },
};

/** With a server's key of the usual kind: each kind of client, each key exchange. */
function others(): readonly Handshake[] {
  return [
    ...KEYS.map((client) => ({ server: KEY, client, exchange: EXCHANGE })),
    ...EXCHANGES.filter((exchange) => exchange !== EXCHANGE).map((exchange) => ({
      server: KEY,
      client: KEY,
      exchange,
    })),
  ];
}

const caFileOf = (stage: Stage): string => join(stage.directory, 'operators-of-each-kind.crt');

/** One operator with each kind of key, under a CA of its own; the bundle of these CAs is written. */
async function clientsOf(stage: Stage): Promise<ReadonlyMap<KeyKind, Identity>> {
  const clients = new Map<KeyKind, Identity>();
  let bundle = '';
  for (const key of KEYS) {
    const ca = await mintCa(`operators with ${key}`, { key });
    bundle += ca.pem;
    const leaf = await mintOperatorCertificate(`${key.toLowerCase()}@example.com`, [], ca, { key });
    clients.set(key, { certificate: chainPem(leaf), key: leaf.keyPem });
  }
  await writeFile(caFileOf(stage), bundle);
  return clients;
}

async function serverOf(stage: Stage, key: KeyKind): Promise<Readonly<Record<string, string>>> {
  const minted = await mintServerCertificate(['localhost', '127.0.0.1'], stage.pki.serverCa, { key });
  const TLS_CERT_FILE = join(stage.directory, `server-${key}.crt`);
  const TLS_KEY_FILE = join(stage.directory, `server-${key}.key`);
  await writeFile(TLS_CERT_FILE, chainPem(minted));
  await writeFile(TLS_KEY_FILE, minted.keyPem, { mode: 0o600 });
  return { TLS_CERT_FILE, TLS_KEY_FILE, OPERATOR_CA_FILE: caFileOf(stage) };
}
