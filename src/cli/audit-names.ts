import { InvalidArgumentError } from 'commander';
import { isCanonicalDnsName } from '../core/identity/names.ts';
import { nearest } from '../core/nearest.ts';
import { shown } from './output/text.ts';

/** Values of options that name whoever asked, and a request, judged before anything is asked: what cannot be one would find nothing for ever. */

/** What stands before the colon where describePrincipal names somebody. */
const KINDS = ['operator', 'cluster', 'cluster-token', 'reader', 'writer', 'workload'];
/** Who shows nothing, whose certificate is refused, and the gateway by itself. */
const ALONE = ['anonymous', 'nobody', 'fluxgate'];

const FORM = `It is KIND:NAME, such as operator:sam@example.com (${KINDS.join(', ')}), or one of ${ALONE.join(', ')}.`;

export function principalName(text: string): string {
  const [kind = ''] = text.split(':', 1);
  const name = text.slice(kind.length + 1);
  if (ALONE.includes(text)) return text;
  if (!KINDS.includes(kind) || name === '') throw invalid(`${meant(kind, name)}${FORM}`);
  if (kind.startsWith('cluster') && !isCanonicalDnsName(name)) {
    throw invalid(`A cluster has its DNS name there, such as ${kind}:demo-cluster-01.k8s.example.com.`);
  }
  return text;
}

function meant(kind: string, name: string): string {
  if (name === '' && kind.includes('@')) return `Did you mean operator:${shown(kind)}? `;
  const near = nearest(kind, name === '' ? ALONE : KINDS);
  if (near === undefined) return '';
  return `Did you mean ${name === '' ? near : `${near}:${shown(name)}`}? `;
}

export function requestId(text: string): string {
  if (/^[0-9a-f]{24}$/.test(text)) return text;
  throw invalid('It is 24 hexadecimal digits in lower case, as an error and the log have them.');
}

const invalid = (message: string): InvalidArgumentError => new InvalidArgumentError(message);
