import type { AuditEntry, AuditEvent, AuditRequest } from '../../src/core/audit/entry.ts';

/** A request of an operator, as the audit trail tells it. */
export function sampleRequest(principal = 'operator:sam@example.com'): AuditRequest {
  return {
    actor: { principal, credential: 'certificate', sha256: 'ab'.repeat(32), serial: '01' },
    source: '127.0.0.1',
    request_id: '0123456789abcdef01234567',
    operation: 'createRevocation',
    decision: 'allow',
    policies: ['operators-certificate'],
  };
}

export function sampleEntry(event: AuditEvent = 'started', fields: Partial<AuditEntry> = {}): AuditEntry {
  return { at: '2026-11-21T03:04:05.678Z', event, ...fields };
}
