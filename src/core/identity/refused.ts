import type { RefusalRule } from './verdict.ts';

/** How the readers of certificates say no. It never leaves this folder: `judge` turns it into a verdict. */
export class CertificateRefused extends Error {
  readonly rule: RefusalRule;

  constructor(rule: RefusalRule, detail: string) {
    super(detail);
    this.name = 'CertificateRefused';
    this.rule = rule;
  }
}
