import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FluxgateError } from '../../../src/core/errors.ts';
import { ANONYMOUS } from '../../../src/core/identity/principal.ts';
import type { Operation } from '../../../src/core/policy/operations.ts';
import type { BoundedLines } from '../../../src/shell/edge/bounded-lines.ts';
import type { RequestRecord } from '../../../src/shell/http/pipeline.ts';
import { createRequestLog } from '../../../src/shell/http/request-log.ts';
import { createLog, isoTime } from '../../../src/shell/log.ts';

const CERTIFICATE = {
  sha256: 'aa',
  spkiSha256: 'bb',
  serial: '01',
  subject: 'CN=x',
  issuer: 'CN="issuer"\n\u2028',
  anchorSha256: 'cc',
  issuersSha256: ['cc'],
  notAfter: Date.UTC(2030, 0, 1),
};
const PRINCIPAL = {
  kind: 'operator',
  name: 'o"p\\@example.com',
  groups: [],
  certificate: CERTIFICATE,
} as const;

const record = (more: Partial<RequestRecord> = {}): RequestRecord => ({
  requestId: '00ff',
  method: 'GET',
  source: '192.0.2.1',
  startedMs: 1,
  path: '/clusters/a',
  operation: { operationId: 'getCluster' } as Operation,
  presented: undefined,
  verdict: { accepted: true, principal: PRINCIPAL, validUntil: 0 },
  principal: PRINCIPAL,
  clusterDns: 'a.example.com',
  objectId: 'a',
  allowsSecrets: true,
  isDryRun: true,
  decision: { allowed: true, policies: ['one', 'two'], reason: '' },
  cluster: undefined,
  revocationId: undefined,
  holdMs: 0,
  session: undefined,
  tokenRefused: false,
  ...more,
});

const BOUNDED = { info: () => {}, warn: () => {}, stop: () => {} } satisfies BoundedLines;

function linesOf(
  level: 'info' | 'warn',
  ...told: readonly Parameters<ReturnType<typeof createRequestLog>>[]
): string[] {
  const lines: string[] = [];
  const log = createLog(level, { write: (line: string) => void lines.push(line) });
  const note = createRequestLog(log, BOUNDED, { now: () => 0, elapsed: () => 3.5 }, { attempted: () => {} });
  for (const one of told) note(...one);
  return lines;
}

describe('the line of a request', () => {
  it('is made when the destination asks for it, of the moment of the answer', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2026, 0, 1) });
    const late: { text(): string }[] = [];
    const lines: string[] = [];
    const destination = {
      write: (line: string) => void lines.push(line),
      writeLate: (line: { text(): string }) => void late.push(line),
    };
    let elapsed = 3.5;
    const clock = { now: () => 0, elapsed: () => elapsed };
    const note = createRequestLog(createLog('info', destination), BOUNDED, clock, { attempted: () => {} });
    note(record(), 200, undefined);
    assert.deepEqual([late.length, lines.length], [1, 0]);
    t.mock.timers.setTime(Date.UTC(2026, 0, 2));
    elapsed = 100;
    const line = JSON.parse(late[0]?.text() ?? '') as Record<string, unknown>;
    assert.deepEqual([line['time'], line['duration_ms']], ['2026-01-01T00:00:00.000Z', 2.5]);
  });

  it('that cannot be made ends nothing, and says so', () => {
    const broken = { ...PRINCIPAL, certificate: { ...CERTIFICATE, notAfter: Number.NaN } };
    const [line = ''] = linesOf('info', [record({ principal: broken }), 200, undefined]);
    const told = JSON.parse(line) as Record<string, unknown> & { err: { message: string } };
    assert.deepEqual(
      [told['level'], told['line'], told['msg'], told.err.message],
      ['error', 'answered', 'a line of the log could not be made', 'Invalid time value'],
    );
  });

  it('has the same fields in the same order whether it was answered or refused', () => {
    const refusal = new FluxgateError('not_found', 'm');
    const [answered = '', refused = ''] = linesOf(
      'info',
      [record({ revision: 7 }), 200, undefined],
      [record({ revision: 7 }), 200, refusal],
    );
    const { time: at, msg, ...fields } = JSON.parse(answered) as Record<string, unknown>;
    const {
      time: _at,
      msg: _msg,
      level: _level,
      error: _error,
      reason: _reason,
      ...others
    } = JSON.parse(refused);
    assert.ok(answered.endsWith('\n') && answered.split('\n').length === 2);
    assert.match(String(at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(msg, 'answered');
    assert.deepEqual([fields['dry_run'], fields['revision']], [true, 7]);
    assert.ok(
      !linesOf('info', [record({ isDryRun: false }), 200, undefined])
        .join()
        .includes('dry_run'),
    );
    assert.deepEqual(Object.entries(fields), [['level', 'info'], ...Object.entries(others)]);
    assert.deepEqual(Object.keys(JSON.parse(answered)).slice(0, 2), ['level', 'time']);
  });

  it('is not made where it is left out, for a stranger may have shown what is work to say', () => {
    let looked = 0;
    const presented = {
      get chain() {
        looked += 1;
        return [];
      },
    } as unknown as RequestRecord['presented'];
    const stranger = record({ principal: ANONYMOUS, verdict: undefined, presented });
    assert.deepEqual(linesOf('warn', [stranger, 429, new FluxgateError('rate_limited', 'm')]), []);
    assert.equal(looked, 0);
    const written = { info: () => {}, warn: (_kind: string, line: () => object) => void line(), stop() {} };
    const log = createLog('warn', { write: () => undefined });
    const note = createRequestLog(log, written, { now: () => 0, elapsed: () => 0 }, { attempted: () => {} });
    note(stranger, 429, new FluxgateError('rate_limited', 'm'));
    assert.equal(looked, 1, 'the line that is written looks at it');
  });

  it('is one JSON line whatever stands in it', () => {
    for (const text of ['a"b', 'a\\b', 'a\nb', 'a\u2028b', '\0', 'ü', '', 'a\x7f']) {
      const [line = ''] = linesOf('info', [
        record({ path: text, clusterDns: text, objectId: text }),
        200,
        undefined,
      ]);
      const { path, cluster, object } = JSON.parse(line) as Record<string, unknown>;
      assert.deepEqual([path, cluster, object], [text, text, text]);
    }
  });

  it('has the time as Date writes it', () => {
    for (const atMs of [
      0, 999, 1_000, 1_795_276_163_005, 1_795_276_163_050, 1_795_276_164_000, 1_795_276_163_500,
    ])
      assert.equal(isoTime(atMs), new Date(atMs).toISOString());
  });

  it('leaves out what there is nothing to say of', () => {
    const little = record({
      clusterDns: undefined,
      objectId: undefined,
      allowsSecrets: false,
      decision: undefined,
    });
    const [line = ''] = linesOf('info', [little, 204, undefined]);
    for (const name of ['cluster', 'object', 'override', 'decision', 'policies', 'token']) {
      assert.ok(!Object.hasOwn(JSON.parse(line), name), name);
    }
  });

  it('says the certificate of each, also of two of one name', () => {
    const renewed = { ...PRINCIPAL, certificate: { ...CERTIFICATE, sha256: 'dd', serial: '02' } };
    const cluster = { kind: 'cluster', dns: 'a.example.com', certificate: CERTIFICATE } as const;
    const of = (principal: RequestRecord['principal']): Parameters<typeof linesOf>[1] => [
      record({ principal }),
      200,
      undefined,
    ];
    const lines = linesOf('info', ...[PRINCIPAL, renewed, cluster, PRINCIPAL, renewed, cluster].map(of));
    const said = lines.map(
      (line) => JSON.parse(line) as { principal: string; certificate: { sha256: string } },
    );
    const expected = [
      'operator:o"p\\@example.com aa',
      'operator:o"p\\@example.com dd',
      'cluster:a.example.com aa',
    ];
    assert.deepEqual(
      said.map(({ principal, certificate }) => `${principal} ${certificate.sha256}`),
      [...expected, ...expected],
    );
  });

  it('is not written where the level says so', () => {
    assert.deepEqual(linesOf('warn', [record(), 200, undefined]), []);
  });
});
