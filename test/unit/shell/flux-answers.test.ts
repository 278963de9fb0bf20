import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CatalogueKind, ClusterInputs } from '../../../src/core/fleet/access.ts';
import { createFluxAnswers } from '../../../src/shell/flux-answers.ts';

const DNS = 'one.example.com';

/** A store of one cluster with one namespace, whose label is its revision; counts how often it was read as a whole. */
function storeOfOne() {
  const state = { revision: 1, gone: false, pinned: undefined as string | undefined, reads: 0 };
  const clusterInputs = async (_dns: string, _kind: CatalogueKind): Promise<ClusterInputs | undefined> => {
    state.reads++;
    if (state.gone) return undefined;
    return {
      cluster: {
        id: 'one',
        cluster_name: 'one',
        cluster_dns: DNS,
        environment: 'dev',
        platform_components: [],
        namespaces: [{ id: 'web' }],
        rolebindings: [],
        patches: {},
      } as never,
      entries: [{ id: 'web', labels: { of: `r${state.revision}` }, annotations: {} }] as never,
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

  it('keeps no more memory alive than its own octets, which are what is counted', async () => {
    const { reader } = storeOfOne();
    const inputs = (await createFluxAnswers(reader).of(DNS, 'namespace'))?.inputs;
    assert.equal(inputs?.buffer.byteLength, inputs?.byteLength);
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
