import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FLEET_KINDS,
  isCatalogueKind,
  kindDefinition,
  kindOfCollection,
  kindOfFluxSegment,
} from '../../../src/core/fleet/registry.ts';
import { sampleCluster } from '../../support/fleet.ts';

test('each kind is found by its name, its collection and its Flux segment', () => {
  for (const kind of FLEET_KINDS) {
    const definition = kindDefinition(kind);
    assert.equal(definition.kind, kind);
    assert.equal(kindOfCollection(definition.collection), kind);
    if (definition.flux !== undefined) assert.equal(kindOfFluxSegment(definition.flux.segment), kind);
  }
  assert.deepEqual(FLEET_KINDS.filter(isCatalogueKind), ['platform_component', 'namespace', 'rolebinding']);
});

test('names that every object inherits are no collections', () => {
  for (const name of ['constructor', '__proto__', 'toString', '']) {
    assert.equal(kindOfCollection(name), undefined);
    assert.equal(kindOfFluxSegment(name), undefined);
  }
});

test('definitions are frozen: no module can change what another believes', () => {
  for (const kind of FLEET_KINDS) {
    const definition = kindDefinition(kind);
    for (const part of [
      definition,
      definition.fields,
      definition.filters,
      definition.unique,
      definition.refersTo,
    ]) {
      assert.ok(Object.isFrozen(part));
    }
  }
});

test('references say where they stand: the order of the rendered inputs', () => {
  const cluster = sampleCluster('x', {
    platform_components: [
      { id: 'b', enabled: true },
      { id: 'a', enabled: true },
    ],
    rolebindings: [{ id: 'r' }],
  });
  assert.deepEqual(kindDefinition('cluster').references(cluster), [
    {
      field: '/platform_components/0/id',
      list: 'platform_components',
      position: 0,
      kind: 'platform_component',
      id: 'b',
    },
    {
      field: '/platform_components/1/id',
      list: 'platform_components',
      position: 1,
      kind: 'platform_component',
      id: 'a',
    },
    { field: '/rolebindings/0/id', list: 'rolebindings', position: 0, kind: 'rolebinding', id: 'r' },
  ]);
});

test('a kind refers only to kinds that it declares', () => {
  for (const kind of FLEET_KINDS) {
    // Between kinds there is one direction only; findCycle looks no further than the kind itself.
    const { refersTo } = kindDefinition(kind);
    for (const target of refersTo) {
      if (target !== kind)
        assert.ok(
          !kindDefinition(target).refersTo.includes(kind),
          `${kind} and ${target} refer to each other`,
        );
    }
  }
});
