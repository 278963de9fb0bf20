/** Octets, spoiled at random but the same way each time. */
import fc from 'fast-check';

/** Fixed, so that a failure here is a failure everywhere; the time bounds are for slow machines. */
export const RUN = { seed: 20_300_115, numRuns: 4_000, interruptAfterTimeLimit: 2_500 } as const;

/** One way to spoil octets: set one, take some out, put some in, or repeat some. */
export type Edit = readonly ['set' | 'cut' | 'insert' | 'repeat', number, number, number];

export const edits = fc.array(
  fc.tuple(
    fc.constantFrom('set', 'cut', 'insert', 'repeat'),
    fc.nat(),
    fc.integer({ min: 0, max: 255 }),
    fc.integer({ min: 1, max: 8 }),
  ) as fc.Arbitrary<Edit>,
  { minLength: 1, maxLength: 4 },
);

export function spoil(der: Uint8Array, list: readonly Edit[]): Uint8Array {
  return list.reduce((octets, [how, where, value, length]) => {
    const at = where % Math.max(octets.length, 1);
    const head = octets.subarray(0, at);
    const tail = octets.subarray(at);
    switch (how) {
      case 'set':
        return Uint8Array.from([...head, value, ...tail.subarray(1)]);
      case 'cut':
        return Uint8Array.from([...head, ...tail.subarray(length)]);
      case 'insert':
        return Uint8Array.from([...head, ...new Array<number>(length).fill(value), ...tail]);
      default:
        return Uint8Array.from([...head, ...tail.subarray(0, length), ...tail]);
    }
  }, der);
}
