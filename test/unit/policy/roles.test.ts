import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grantsOfGroups, NO_GRANTS } from '../../../src/core/policy/roles.ts';

test('groups that do not speak of roles say nothing of them', () => {
  for (const groups of [
    [],
    ['platform-team'],
    ['viewer'],
    ['editor', 'admin'],
    ['fluxgates', 'notfluxgate:admin'],
  ]) {
    assert.equal(grantsOfGroups(groups), undefined, groups.join());
  }
});

test('roles, environments and labels are read from groups', () => {
  assert.deepEqual(
    grantsOfGroups([
      'platform-team',
      'fluxgate:viewer',
      'fluxgate:editor',
      'fluxgate:environment=dev',
      'fluxgate:environment=qa',
      'fluxgate:label=example.com/team=payments',
    ]),
    { roles: ['viewer', 'editor'], environments: ['dev', 'qa'], labels: ['example.com/team=payments'] },
  );
});

test('one slip, and nothing is granted: a scope that is not understood must not become no scope', () => {
  for (const slip of [
    'fluxgate:',
    'fluxgate:veiwer',
    'fluxgate:Viewer',
    'Fluxgate:viewer',
    'FLUXGATE:viewer',
    ' fluxgate:viewer',
    'fluxgate :viewer',
    'fluxgate: viewer',
    'fluxgate=viewer',
    'fluxgate/viewer',
    'fluxgate:environment=',
    'fluxgate:environment=dve',
    'fluxgate:environment=dev,qa',
    'fluxgate:environments=dev',
    'fluxgate:label=team',
    'fluxgate:label==x',
    'fluxgate:label=a=b=c',
    'fluxgate:label=team=a b',
    'fluxgate:admin ',
    'fluxgate:admin:dev',
  ]) {
    assert.deepEqual(grantsOfGroups(['fluxgate:admin', slip, 'platform-team']), NO_GRANTS, slip);
  }
});
