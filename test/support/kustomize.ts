import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { type Manifest, readManifests } from './manifests.ts';

interface Kustomization {
  readonly kind: string;
  readonly namespace?: string;
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly patches?: readonly { readonly path: string }[];
}
type Tree = Record<string, unknown>;

/** What `kubectl kustomize` makes of a directory, as far as deploy/ uses it: resources, components, strategic merge patches. */
export function kustomize(directory: string, above: readonly Manifest[] = []): readonly Manifest[] {
  const {
    resources = [],
    components = [],
    patches = [],
    ...rest
  } = parse(readFileSync(join(directory, 'kustomization.yaml'), 'utf8')) as Kustomization;
  const unknown = Object.keys(rest).filter((key) => !['apiVersion', 'kind', 'namespace'].includes(key));
  if (unknown.length > 0) throw new Error(`${directory}: ${unknown.join(', ')}`);
  const isComponent = rest.kind === 'Component';
  const own = resources.flatMap((name) => {
    const path = join(directory, name);
    if (existsSync(join(path, 'kustomization.yaml'))) return kustomize(path);
    // Kustomize has no way from a directory to one above it.
    if (dirname(path) !== directory.replace(/\/$/, '')) throw new Error(`${directory}: ${name} is elsewhere`);
    return readManifests(readFileSync(path, 'utf8'));
  });
  let objects = [...(isComponent ? above : []), ...own];
  for (const name of components) objects = [...kustomize(join(directory, name), objects)];
  for (const { path } of patches) {
    for (const patch of readManifests(readFileSync(join(directory, path), 'utf8'))) {
      const at = objects.findIndex(
        (one) => one.kind === patch.kind && one.metadata.name === patch.metadata.name,
      );
      if (at === -1) throw new Error(`${directory}: ${path} patches what is not there`);
      objects = objects.with(at, merged(objects[at], patch) as unknown as Manifest);
    }
  }
  for (const { kind, metadata } of objects) {
    const given = kind === 'Namespace' ? metadata.name : metadata.namespace;
    if (rest.namespace !== undefined && given !== rest.namespace) throw new Error(`${kind} is in ${given}`);
  }
  return objects;
}

/** Lists of what has a name are merged by it, ports by their number. */
function merged(base: unknown, patch: unknown): unknown {
  if (Array.isArray(base) && Array.isArray(patch)) {
    const key = (one: Tree): unknown => one['containerPort'] ?? one['name'];
    const rest = (patch as Tree[]).filter(
      (one) => !(base as Tree[]).some((other) => key(other) === key(one)),
    );
    return [
      ...(base as Tree[]).map((one) => {
        const change = (patch as Tree[]).find((other) => key(other) === key(one));
        return change === undefined ? one : merged(one, change);
      }),
      ...rest,
    ];
  }
  if (typeof base !== 'object' || base === null || typeof patch !== 'object' || patch === null) return patch;
  const out: Tree = { ...base };
  for (const [key, value] of Object.entries(patch)) out[key] = key in out ? merged(out[key], value) : value;
  return out;
}
