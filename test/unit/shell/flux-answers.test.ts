import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CatalogueKind, ClusterInputs } from '../../../src/core/fleet/access.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { createFluxAnswers } from '../../../src/shell/flux-answers.ts';

const DNS = 'one.example.com';

/** A store of one cluster with one namespace, whose label is its revision; counts how often it was read as a whole. */
function storeOfOne() {
  const state = {
    revision: 1,
    gone: false,
    pinned: undefined as string | undefined,
    label: undefined as string | undefined,
    ofName: undefined as ((dns: string) => string) | undefined,
    reads: 0,
  };
  const clusterInputs = async (dns: string, _kind: CatalogueKind): Promise<ClusterInputs | undefined> => {
    state.reads++;
    if (state.gone) return undefined;
    return {
      cluster: {
        id: 'one',
        cluster_name: 'one',
        cluster_dns: dns,
        environment: 'dev',
        platform_components: [],
        namespaces: [{ id: 'web' }],
        rolebindings: [],
        patches: {},
      } as never,
      entries: [
        {
          id: 'web',
          labels: { of: state.ofName?.(dns) ?? state.label ?? `r${state.revision}` },
          annotations: {},
        },
      ] as never,
      revision: state.revision,
      ...(state.pinned === undefined ? {} : { pinned: state.pinned }),
    };
  };
  return {
    state,
    reader: { clusterInputs: clusterInputs as never, newestRevision: async () => state.revision },
  };
}

describe('a remembered answer', () => {
  it('is the same bytes without another look, for as long as no revision came', async () => {
    const { state, reader } = storeOfOne();
    const answers = createFluxAnswers(reader);
    const first = await answers.of(DNS, 'namespace');
    assert.match(first?.inputs.toString() ?? '', /"of":"r1"/);
    assert.deepEqual(await answers.of(DNS, 'namespace'), first);
    assert.equal(state.reads, 1);
  });

  it('is the octets that were rendered, whatever the inputs say and however much of it others are answered', async () => {
    const { state, reader } = storeOfOne();
    const answers = createFluxAnswers(reader);
    for (const label of [
      '',
      '","cluster":{"name":"one"',
      `{"name":"one","dns":"${DNS}","environment":"dev"}`,
      'ü €',
    ])
      for (const dns of [DNS, 'two.example.com']) {
        state.label = label;
        const rendered = (await createFluxAnswers(reader).of(dns, 'namespace'))?.inputs.toString() ?? '';
        assert.match(rendered, new RegExp(`"dns":"${dns}"`));
        await answers.of(dns, 'namespace');
        const { reads } = state;
        assert.equal((await answers.of(dns, 'namespace'))?.inputs.toString(), rendered);
        assert.equal(state.reads, reads);
        state.revision++;
      }
  });

  it('of many clusters takes little more than that of one, where nothing but their names differs', async () => {
    const { state, reader } = storeOfOne();
    state.label = 'x'.repeat(LIMITS.fluxAnswersBytesMax / 1_000);
    const answers = createFluxAnswers(reader);
    const names = Array.from({ length: 2_000 }, (_, number) => `c${number}.example.com`);
    for (const name of names) await answers.of(name, 'namespace');
    const { reads } = state;
    for (const name of names) await answers.of(name, 'namespace');
    assert.equal(state.reads, reads);
  });

  it('is forgotten with all others where there is no room for more, and rendered again', async () => {
    const { state, reader } = storeOfOne();
    const answers = createFluxAnswers(reader);
    // Nobody shares any of it.
    const names = Array.from({ length: 130 }, (_, number) => `c${number}.example.com`);
    state.ofName = (name) => `${name} ${'x'.repeat(600_000)}`;
    for (const name of names) await answers.of(name, 'namespace');
    assert.equal(state.reads, names.length);
    await answers.of('c129.example.com', 'namespace');
    assert.equal(state.reads, names.length);
    await answers.of('c0.example.com', 'namespace');
    assert.equal(state.reads, names.length + 1);
  });

  it('ends with any revision, whoever wrote it', async () => {
    const { state, reader } = storeOfOne();
    const answers = createFluxAnswers(reader);
    await answers.of(DNS, 'namespace');
    state.revision = 2;
    const second = await answers.of(DNS, 'namespace');
    assert.match(second?.inputs.toString() ?? '', /"of":"r2"/);
    assert.equal(second?.revision, 2);
    // A store that was restored to an earlier moment is not the one that was remembered either.
    state.revision = 1;
    assert.match((await answers.of(DNS, 'namespace'))?.inputs.toString() ?? '', /"of":"r1"/);
  });

  it('ends with its cluster', async () => {
    const { state, reader } = storeOfOne();
    const answers = createFluxAnswers(reader);
    await answers.of(DNS, 'namespace');
    state.gone = true;
    state.revision++;
    assert.equal(await answers.of(DNS, 'namespace'), undefined);
  });

  it('is of one cluster and one kind', async () => {
    const { state, reader } = storeOfOne();
    const answers = createFluxAnswers(reader);
    await answers.of(DNS, 'namespace');
    await answers.of('two.example.com', 'namespace');
    assert.equal(state.reads, 2);
  });

  it('is never what was pinned: that is read each time', async () => {
    const { state, reader } = storeOfOne();
    const answers = createFluxAnswers(reader);
    state.pinned = '{"inputs":["first"]}';
    assert.equal((await answers.of(DNS, 'namespace'))?.inputs.toString(), state.pinned);
    state.pinned = '{"inputs":["second"]}';
    assert.equal((await answers.of(DNS, 'namespace'))?.inputs.toString(), state.pinned);
  });
});
