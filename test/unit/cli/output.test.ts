import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse, parseAllDocuments } from 'yaml';
import type { TerminalContext } from '../../../src/cli/context.ts';
import { jsonLine, jsonText, yamlText } from '../../../src/cli/output/documents.ts';
import { tableLines } from '../../../src/cli/output/table.ts';
import { shellWord, shown } from '../../../src/cli/output/text.ts';
import { age, durationSeconds, instant, instantAhead } from '../../../src/cli/output/time.ts';
import { commandToRepeat } from '../../../src/cli/writes/repeat.ts';

const OBEYED = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '\u001b[2J',
    '\u009b',
    '\u202e',
    '\u2028',
    '\ufeff',
    '\ud800',
    'yes',
    '1',
    '',
    '# x',
    ' y ',
  ),
);

describe('what is printed', () => {
  it('holds nothing that a terminal obeys, and in JSON and YAML is still the same value', () => {
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.array(text))), (value) => {
        const fields = { ...value };
        assert.doesNotMatch(shown(JSON.stringify(fields)), OBEYED);
        for (const json of [jsonText(fields), jsonLine(fields)]) {
          assert.doesNotMatch(json.replaceAll('\n', ''), OBEYED);
          assert.deepEqual(JSON.parse(json), fields);
        }
        const yaml = yamlText(fields);
        assert.doesNotMatch(yaml.replaceAll('\n', ''), OBEYED);
        if (Object.keys(fields).includes('__proto__')) return;
        assert.deepEqual(parse(yaml), fields);
      }),
      { numRuns: 300 },
    );
  });

  it('is several documents where it is a list', () => {
    const list = [{ id: 'a' }, { id: 'b' }];
    assert.deepEqual(
      parseAllDocuments(yamlText(list)).map((document) => document.toJS()),
      list,
    );
    assert.equal(yamlText([]), '[]');
  });

  it('is aligned by what characters take on the screen', () => {
    const lines = tableLines(
      [
        { heading: 'NAME', of: ({ name }: { name: string }) => name },
        { heading: 'N', of: ({ name }) => name.length },
      ],
      [{ name: '東京' }, { name: 'e\u0301te' }, { name: '\u001b[2J' }, { name: '' }],
    );
    assert.deepEqual(
      lines,
      ['NAME       N', '東京       2', 'éte        4', '\\u{1b}[2J  4', '-          0'].map((line) =>
        line.replace('é', 'e\u0301'),
      ),
    );
  });

  it('as a command to repeat keeps what was typed, quoted, without what confirms and without a secret', () => {
    const repeated = (args: readonly string[]): string =>
      commandToRepeat({ invocation: 'fluxgate', arguments: args } as unknown as TerminalContext, 'H');
    assert.equal(
      repeated(['cluster', 'patch', 'x', '-p', `{"a": "it's"}`, '--plan-hash', 'OLD', '--yes']),
      `fluxgate cluster patch x -p '{"a": "it'\\''s"}' --yes --plan-hash H`,
    );
    assert.equal(
      repeated([
        '--api-token',
        'secret',
        '--write-token=secret',
        'cluster',
        'delete',
        'x',
        '--plan-hash=OLD',
      ]),
      'fluxgate --api-token TOKEN --write-token TOKEN cluster delete x --yes --plan-hash H',
    );
    assert.equal(
      repeated(['plan', 'namespace', 'delete', 'x']),
      'fluxgate namespace delete x --yes --plan-hash H',
    );
    assert.equal(shellWord('$(reboot)'), "'$(reboot)'");
  });
});

describe('times', () => {
  const now = Date.parse('2026-11-20T12:00:00.500Z');

  it('are RFC 3339 of any precision, dates, or how long ago', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['2026-11-20T08:00:00Z', '2026-11-20T08:00:00.000Z'],
      ['2026-11-20T08:00:00.123456Z', '2026-11-20T08:00:00.123Z'],
      ['2026-11-20T08:00:00+01:00', '2026-11-20T07:00:00.000Z'],
      ['2026-11-20T08:00:00', '2026-11-20T08:00:00.000Z'],
      ['2026-11-20', '2026-11-20T00:00:00.000Z'],
      ['1h', '2026-11-20T11:00:00.500Z'],
      ['2d', '2026-11-18T12:00:00.500Z'],
    ];
    for (const [given, expected] of cases) assert.equal(instant('--since', given, now), expected);
    for (const odd of ['', 'yesterday', '1', 'h', '1y', '2026-13-01', '2026-11-20T25:00:00Z', '-1h', '0h']) {
      assert.throws(() => instant('--since', odd, now), /--since/, odd);
    }
    assert.equal(durationSeconds('--ttl', '30d'), 2_592_000);
  });

  it('of what is to come count a duration from now on, and are not over', () => {
    assert.equal(instantAhead('--until', '1h', now), '2026-11-20T13:00:00.500Z');
    assert.equal(instantAhead('--until', '2027-01-01', now), '2027-01-01T00:00:00.000Z');
    assert.equal(instantAhead('--until', '2026-11-20T12:00:01Z', now), '2026-11-20T12:00:01.000Z');
    for (const over of ['2026-11-20', '2026-11-20T12:00:00.500Z', '2026-11-20T13:00:00+01:00']) {
      assert.throws(() => instantAhead('--until', over, now), /--until: .* is over already/, over);
    }
    assert.throws(() => instantAhead('--until', 'tomorrow', now), /--until: .* neither a time/);
  });

  it('are told as an age', () => {
    const of = (ms: number) => age(new Date(now - ms).toISOString(), now);
    assert.deepEqual(
      [of(5_000), of(600_000), of(7_200_000), of(864_000_000), age(null, now)],
      ['5s', '10m', '2h', '10d', undefined],
    );
  });
});
