/**
 * Which attributes of the context a policy reads, by its JSON (Cedar's documentation, "JSON policy format"): `context.a` is
 * `{".":{"left":{"Var":"context"},"attr":"a"}}`, `context has a` the same under "has". undefined: it may read any, since the context stands
 * in it in some other way.
 */
export function contextLookedAt(policy: unknown): ReadonlySet<string> | undefined {
  const found = new Set<string>();
  return collect(policy, found) ? found : undefined;
}

const ACCESSES = ['.', 'has'] as const;

/** False: the context itself was come upon. */
function collect(node: unknown, found: Set<string>): boolean {
  if (typeof node !== 'object' || node === null) return true;
  if (isContext(node)) return false;
  for (const [name, below] of Object.entries(node)) {
    const { left, attr } = (below ?? {}) as { readonly left?: unknown; readonly attr?: unknown };
    if ((ACCESSES as readonly string[]).includes(name) && isContext(left) && typeof attr === 'string') {
      found.add(attr);
    } else if (!collect(below, found)) return false;
  }
  return true;
}

const isContext = (node: unknown): boolean =>
  typeof node === 'object' && node !== null && (node as { readonly Var?: unknown }).Var === 'context';
