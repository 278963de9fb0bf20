import { stringify } from 'yaml';
import { credentials } from './credentials.ts';
import { identity, notifications, providers, resourceSets } from './flux.ts';
import { kyvernoPolicies } from './kyverno.ts';
import { networkPolicies } from './network.ts';
import type { ManifestSettings } from './settings.ts';

/** Everything that one cluster applies, in the order in which it can be applied, as YAML documents. */
export function clusterManifests(settings: ManifestSettings): string {
  const { without } = settings;
  const objects = [
    identity(settings),
    ...credentials(settings),
    ...(without.has('network-policies') ? [] : networkPolicies(settings)),
    ...(without.has('kyverno') ? [] : kyvernoPolicies()),
    ...providers(settings),
    ...resourceSets(),
    ...(without.has('notifications') ? [] : notifications(settings)),
  ];
  return objects.map((object) => `---\n${yamlOf(object)}`).join('');
}

/** Never folds, never refers back; templates stand as they are. */
function yamlOf(object: object): string {
  return stringify(object, {
    lineWidth: 0,
    aliasDuplicateObjects: false,
    sortMapEntries: false,
    blockQuote: 'literal',
    version: '1.1',
  });
}
