import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDirectory } from '../../../src/core/fleet/directory.ts';
import { mentionsIn } from '../../../src/core/fleet/mentions.ts';
import { parseSeed } from '../../../src/core/fleet/seed.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { fleetSchemas, sampleCluster, sampleComponent } from '../../support/fleet.ts';

test('what an object mentions in vain is told beside what else is wrong with it, once', () => {
  const text = JSON.stringify({
    clusters: [
      {
        ...sampleCluster('x', {
          platform_components: [{ id: 'gone', enabled: 'yes' } as never, { id: 'dns', enabled: true }],
          namespaces: [null as never, { id: 'No Name' }, { id: 7 } as never, { id: 'away' }],
        }),
        colour: 'red',
      },
    ],
    platform_components: [{ ...sampleComponent('dns', { depends_on: ['lost'] }), colour: 'red' }],
    namespaces: { id: 'no list' },
    rolebindings: [{ id: 'r', depends_on: ['nothing'] }],
  });
  const said = (): string => {
    try {
      parseSeed(text, 'fleet.json', fleetSchemas());
    } catch (error) {
      return (error as Error).message;
    }
    return assert.fail('the seed was taken');
  };
  const lines = said()
    .split('\n')
    .map((line) => line.replace(/^seed fleet\.json: /, '').replace(/must match.*\(/, 'must match ('));
  assert.deepEqual(
    lines.filter((line) => /"x"|"dns"/.test(line)),
    [
      'clusters[0] "x": colour is not a known field (line 1)',
      'clusters[0] "x": platform_components/0/enabled must be true or false (line 1)',
      'clusters[0] "x": namespaces/0 must be an object (line 1)',
      'clusters[0] "x": namespaces/1/id must match (line 1)',
      'clusters[0] "x": namespaces/2/id must be a string (line 1)',
      'platform_components[0] "dns": colour is not a known field (line 1)',
      'clusters[0] "x": platform_components/0 refers to platform component "gone", which the seed does not define (line 1)',
      'clusters[0] "x": namespaces/3 refers to namespace "away", which the seed does not define (line 1)',
      'platform_components[0] "dns": depends_on/0 refers to platform component "lost", which the seed does not define (line 1)',
    ],
  );
});

test('what is longer than any name is no mention, whatever else is told of its object', () => {
  const raw = { platform_components: [{ id: 'x'.repeat(300) }, { id: 'gone' }] };
  assert.deepEqual(
    mentionsIn('cluster', raw, []).map(({ id }) => id),
    ['gone'],
  );
});

test('of mentions without end so many are looked at, of each object and of all', async () => {
  const entries = (of: number) => Array.from({ length: 5_000 }, (_, n) => ({ id: `gone-${of}-${n}` }));
  assert.equal(
    mentionsIn('cluster', { platform_components: entries(0) }, []).length,
    LIMITS.mentionsLookedAtMax,
  );
  const asked: string[] = [];
  const files = Object.fromEntries(
    [1, 2, 3].map((n) => [
      `clusters/c${n}.yaml`,
      JSON.stringify({ id: `c${n}`, platform_components: entries(n) }),
    ]),
  );
  const keeps = (_kind: string, id: string): Promise<boolean> => {
    asked.push(id);
    return Promise.resolve(false);
  };
  await assert.rejects(
    readDirectory(files, fleetSchemas(), () => Promise.resolve(), keeps),
    /not a fleet/,
  );
  assert.equal(asked.length, LIMITS.mentionsLookedAtMax);
});
