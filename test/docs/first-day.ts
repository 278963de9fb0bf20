import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Minted, mintCa } from '../../certs-dev/mint.ts';
import type { Stage } from '../support/page-stage.ts';

const DNS_NAMES = ['01', '02', '03'].map((number) => `demo-cluster-${number}.k8s.example.com`);
const ROUTES = ['platform-components', 'namespaces', 'rolebindings'];

/** What happens beside docs/first-day.md while its reader reads on: clusters poll, the CA gets a successor, certificates are renewed. */
export function firstDay({ gateway, directory }: Stage): Readonly<Record<string, () => Promise<void>>> {
  let successor: Minted | undefined;
  const poll = async (dnsNames: readonly string[]): Promise<void> => {
    for (const dns of dnsNames) {
      const certificate = await gateway.pki.cluster(
        dns,
        successor === undefined ? {} : { issuer: successor },
      );
      for (const route of ROUTES) {
        const { status } = await gateway.send({ path: `/api/v2/flux/clusters/${dns}/${route}`, certificate });
        if (status !== 200) throw new Error(`${dns} got ${status}`);
      }
    }
  };
  return {
    'all clusters poll': () => poll(DNS_NAMES),
    'a new cluster CA is trusted beside the old one': async () => {
      successor = await mintCa('Fluxgate second cluster CA');
      const old = gateway.pki.clusterBundlePem;
      await writeFile(join(directory, 'old-ca.crt'), gateway.pki.clusterRoot.pem);
      await writeFile(join(gateway.directory, 'cluster-ca.crt'), `${old}\n${successor.pem}`);
      if (!(await gateway.gateway.reload('SIGHUP'))) throw new Error('the reload failed');
    },
    'two clusters renew their certificates and poll': () => poll(DNS_NAMES.slice(0, 2)),
    'the last cluster renews its certificate and polls': () => poll(DNS_NAMES.slice(2)),
  };
}
