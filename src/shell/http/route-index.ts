import type { Operation } from '../../core/policy/operations.ts';

/** Finds the operation of a path; made once, because openapi-backend reads the whole document for each request that it matches. */
export interface RouteIndex {
  /** undefined: the document has no such path, or not this method there. */
  find(method: string, path: string): Found | undefined;
}

export interface Found {
  readonly operation: Operation;
  readonly params: Readonly<Record<string, string>>;
}

interface Template {
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly byMethod: Map<string, Operation>;
}

/**
 * Matches as OpenAPI 3.1 §4.8.8.2 says: a path without templates before one with, and `{name}` is one whole segment. Paths are those
 * of `readTarget`: no escapes and no empty segments, so that nothing has to be decoded.
 */
export function createRouteIndex(operations: readonly Operation[]): RouteIndex {
  /** By how many segments they have: Flux's paths have as many as no other, and need not be looked up here. */
  const concrete = new Map<number, Map<string, Map<string, Operation>>>();
  /** By how many segments they have; of these the one with the longest literal part first. */
  const templates = new Map<number, Template[]>();
  for (const operation of operations) {
    const { path, method } = operation;
    if (!path.includes('{')) {
      const alike = concrete.get(segmentsOf(path)) ?? new Map<string, Map<string, Operation>>();
      concrete.set(segmentsOf(path), alike);
      alike.set(path, (alike.get(path) ?? new Map<string, Operation>()).set(method, operation));
      continue;
    }
    const alike = templates.get(segmentsOf(path)) ?? [];
    templates.set(segmentsOf(path), alike);
    const { source, names } = patternOf(path);
    const known = alike.find(({ pattern }) => pattern.source === new RegExp(source).source);
    if (known !== undefined) known.byMethod.set(method, operation);
    else alike.push({ pattern: new RegExp(source), names, byMethod: new Map([[method, operation]]) });
  }
  for (const alike of templates.values())
    alike.sort((a, b) => b.pattern.source.length - a.pattern.source.length);
  const look = (method: string, path: string): Found | undefined => {
    const segments = segmentsOf(path);
    const operation = concrete.get(segments)?.get(path)?.get(method);
    if (operation !== undefined) return { operation, params: NO_PARAMS };
    for (const { pattern, names, byMethod } of templates.get(segments) ?? []) {
      const values = pattern.exec(path);
      const templated = values === null ? undefined : byMethod.get(method);
      if (values === null || templated === undefined) continue;
      return { operation: templated, params: paramsOf(names, values) };
    }
    return undefined;
  };
  /** The last answer: a request asks when it comes, and again when its parameters are read. */
  let last: { readonly method: string; readonly path: string; readonly found: Found | undefined } | undefined;
  return {
    find(method, path) {
      if (last === undefined || last.path !== path || last.method !== method)
        last = { method, path, found: look(method, path) };
      return last.found;
    },
  };
}

const NO_PARAMS = Object.freeze({});

/** `names` are those of the document. */
function paramsOf(names: readonly string[], values: readonly string[]): Found['params'] {
  const params: Record<string, string> = {};
  for (let n = 0; n < names.length; n++) params[names[n] as string] = values[n + 1] ?? '';
  return Object.freeze(params);
}

function segmentsOf(path: string): number {
  let count = 0;
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) count++;
  return count;
}

function patternOf(path: string): { readonly source: string; readonly names: readonly string[] } {
  const names: string[] = [];
  const segments = path.split('/').map((segment) => {
    const name = /^\{([^{}]+)\}$/.exec(segment)?.[1];
    if (name === undefined) return RegExp.escape(segment);
    names.push(name);
    return '([^/]+)';
  });
  return { source: `^${segments.join('/')}$`, names };
}
