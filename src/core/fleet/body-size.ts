/** Whether there are more than `max` values in it, itself among them. Looks at no more than that. */
export function hasMoreValues(value: unknown, max: number): boolean {
  let values = 1;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const one = open.pop();
    if (typeof one !== 'object' || one === null) continue;
    const inside = Array.isArray(one) ? one.length : Object.keys(one).length;
    values += inside;
    if (values > max) return true;
    open.push(...Object.values(one));
  }
  return false;
}
