import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { it } from 'node:test';
import { TLSSocket } from 'node:tls';
import type { Refusal } from '../../../src/core/identity/verdict.ts';
import { answerMalformed } from '../../../src/shell/http/answer-malformed.ts';

it('a certificate that OpenSSL ends the connection for is logged as every other that is refused', (t) => {
  const refusal: Refusal = {
    rule: 'malformed',
    position: 'leaf',
    detail: 'two of one extension',
    sha256: 'ab',
    serial: '',
    subject: 'CN=x',
    claimedClusters: ['x.example.com'],
  };
  const socket = new TLSSocket(new Socket());
  t.after(() => socket.destroy());
  const written: unknown[] = [];
  answerMalformed(
    { info: assert.fail, warn: (kind, line) => void written.push([kind, line()]), stop: assert.fail },
    {
      verdictOf: () => ({ accepted: false, refusal, validUntil: Number.POSITIVE_INFINITY }),
      shownBy: () => assert.fail(),
    },
    'an-id',
    {
      error: Object.assign(new Error(), { code: 'ERR_SSL_X509_LIB' }),
      socket,
      answerable: false,
      source: '192.0.2.1',
    },
  );
  assert.deepEqual(written, [
    [
      'refused',
      {
        request_id: 'an-id',
        source: '192.0.2.1',
        error: 'certificate_rejected',
        reason: 'malformed: leaf: two of one extension (ERR_SSL_X509_LIB)',
        certificate: { sha256: 'ab', serial: '', subject: 'CN=x', refused: 'malformed', position: 'leaf' },
      },
    ],
  ]);
});
