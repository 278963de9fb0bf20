/** What each rule saw while a chain was judged: for whoever asks why. Requests are judged without it. */

import { type CertificateFacts, describeCertificate } from './certificate.ts';
import { nameOfOid } from './oids.ts';
import { printableTime } from './printable.ts';
import { describePublicKey } from './public-key.ts';
import type { RefusalRule } from './verdict.ts';

export interface Step {
  readonly rule: RefusalRule;
  /** 'leaf', 'intermediate 1', …, 'anchor', or 'chain'. */
  readonly position: string;
  /** The setting whose bundle the path was looked for in; absent: before or after that. */
  readonly bundle?: string | undefined;
  readonly passed: boolean;
  /** One line, certificate text in it escaped. */
  readonly saw: string;
}

/** Called by the rules themselves as they are applied, in their order. Must not throw. */
export type Trace = (step: Step) => void;

/** What a rule looked at in a certificate that it let pass; what it says of others is its own refusal. */
export function seenBy(rule: RefusalRule, facts: CertificateFacts): string {
  return `${describeCertificate(facts)}: ${looksAt(rule, facts)}`;
}

function looksAt(rule: RefusalRule, facts: CertificateFacts): string {
  switch (rule) {
    case 'not_yet_valid':
      return `valid from ${printableTime(facts.notBefore)}`;
    case 'expired':
      return `valid until ${printableTime(facts.notAfter)}`;
    case 'not_a_ca':
      return facts.basicConstraints?.ca === true ? 'a CA certificate' : 'no CA certificate';
    case 'key_usage':
      return `keyUsage ${facts.keyUsage === undefined ? 'absent' : [...facts.keyUsage].join(', ')}`;
    case 'extended_key_usage':
      return `extendedKeyUsage ${facts.extendedKeyUsage?.slice(0, 6).map(nameOfOid).join(', ') ?? 'absent'}`;
    case 'weak_key':
      return `key ${describePublicKey(facts.publicKey)}`;
    case 'weak_signature':
      return `signed with algorithm ${nameOfOid(facts.signature.oid)}`;
    case 'unknown_critical_extension':
      return 'no critical extension that is not processed here';
    case 'certificate_policy':
      return 'no demand for a certificate policy';
    default:
      return 'nothing against it';
  }
}
