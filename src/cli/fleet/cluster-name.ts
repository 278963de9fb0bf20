import { StartupError } from '../../core/errors.ts';
import { refusalOf } from '../api/failures.ts';
import { segment } from '../api/path.ts';
import type { ApiAnswer, SendRequest } from '../api/transport.ts';
import { shown } from '../output/text.ts';

/**
 * The DNS name of the registered cluster that has this id or this DNS name; undefined where none has. Throws StartupError where it
 * is the id of one and the name of another, and CommandFailed for whoever may not read the fleet.
 */
export async function registeredDns(send: SendRequest, text: string): Promise<string | undefined> {
  const [byId, byDns] = await Promise.all([
    send({ path: `/clusters/${segment(text)}` }),
    send({ path: '/clusters', query: { cluster_dns: text } }),
  ]);
  const found = new Set([...dnsNames(byId), ...dnsNames(byDns)]);
  if (found.size > 1) {
    throw new StartupError(
      `${shown(text)} is the id of one cluster and the DNS name of another: ${[...found].map(shown).join(', ')}`,
    );
  }
  return [...found][0];
}

/** For reading what is known of a name, which may be no cluster's any more: whatever is not registered stays as it was typed. */
export async function dnsOf(send: SendRequest, text: string): Promise<string> {
  return (await registeredDns(send, text)) ?? text;
}

/** Of the cluster of this DNS name; an id, which holds no dot, and a name that no cluster has stay as they were typed. */
export async function idOf(send: SendRequest, text: string): Promise<string> {
  if (!text.includes('.')) return text;
  const answer = await send({ path: '/clusters', query: { cluster_dns: text } });
  const [cluster] = (Array.isArray(answer.body) ? answer.body : []) as readonly { readonly id?: unknown }[];
  return typeof cluster?.id === 'string' ? cluster.id : text;
}

/** What is no id, or no DNS name, is nobody's (400). */
function dnsNames(answer: ApiAnswer): readonly string[] {
  if (answer.status === 404 || answer.status === 400) return [];
  if (answer.status !== 200) throw refusalOf(answer);
  const clusters = (Array.isArray(answer.body) ? answer.body : [answer.body]) as readonly {
    readonly cluster_dns?: unknown;
  }[];
  return clusters.flatMap((cluster) =>
    typeof cluster?.cluster_dns === 'string' ? [cluster.cluster_dns] : [],
  );
}
