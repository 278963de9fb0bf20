import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Cluster } from '../../src/core/fleet/objects.ts';
import { renderInputs, serialiseInputs } from '../../src/core/fleet/render.ts';
import { openSqliteStore } from '../../src/shell/store/sqlite-store.ts';
import { sampleCluster, sampleComponent } from './fleet.ts';

export const CLUSTERS = 10_000;
const SEEN_AT_ONCE = 500;

/** For `prepare` of a test gateway: a store of 10,000 clusters, each of which has polled with a certificate; some a while ago. */
export async function prepareTenThousand(directory: string): Promise<Record<string, string>> {
  const url = `sqlite://${join(directory, 'fleet.db')}`;
  const store = await openSqliteStore(url);
  const component = sampleComponent('podinfo');
  const clusters: Cluster[] = Array.from({ length: CLUSTERS }, (_, n) =>
    sampleCluster(`cluster-${String(n).padStart(5, '0')}`, {
      environment: (['dev', 'qa', 'uat', 'prod'] as const)[n % 4] ?? 'dev',
      platform_components: [{ id: 'podinfo', enabled: true }],
    }),
  );
  await store.initialise(async (transactor) => {
    await transactor.insert('platform_component', component);
    for (const cluster of clusters) await transactor.insert('cluster', cluster);
  });
  const nowMs = Date.now();
  for (let at = 0; at < CLUSTERS; at += SEEN_AT_ONCE) {
    const batch = clusters.slice(at, at + SEEN_AT_ONCE);
    await store.sightings.save({
      sightings: batch.map(({ cluster_dns: name }, n) => ({
        kind: 'cluster',
        name,
        credential: 'certificate',
        document: JSON.stringify(sighted(name, nowMs + (at + n) * 60_000)),
        leaf: new Uint8Array(400),
        issuers: [],
      })),
      forgotten: [],
      pins: [],
    });
    await store.liveness.save({
      polls: batch.map((cluster, n) => {
        const inputs = serialiseInputs(renderInputs('platform_component', { cluster, entries: [component] }));
        const lastMs = (at + n) % 100 === 0 ? nowMs - 7_200_000 : nowMs - 60_000;
        const polls = {
          lastMs,
          burstsMs: [lastMs - 600_000, lastMs],
          revision: 1,
          digest: `sha256:${createHash('sha256').update(inputs).digest('hex')}`,
          sinceMs: lastMs,
          credential: { method: 'certificate', name: cluster.cluster_dns },
          client: 'flux-operator/0.30.0',
        };
        const document = JSON.stringify({ 'platform-components': { polls } });
        return { clusterDns: cluster.cluster_dns, merge: () => document };
      }),
      reports: [],
      forgotten: [],
    });
  }
  await store.close();
  return { DATABASE_URL: url };
}

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');

function sighted(name: string, notAfter: number): object {
  const anchorSha256 = hex(name.endsWith('7.k8s.example.com') ? 'old' : 'new');
  return {
    certificate: {
      sha256: hex(name),
      spkiSha256: hex(`${name} key`),
      serial: '01',
      subject: `CN=${name}`,
      issuer: 'CN=a CA',
      anchorSha256,
      issuersSha256: [anchorSha256],
      notAfter: notAfter + 30 * 86_400_000,
    },
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' },
    source: '10.0.0.1',
    firstSeenMs: Date.now() - 86_400_000,
    lastSeenMs: Date.now() - 60_000,
    count: 12,
    issuers: [],
  };
}
