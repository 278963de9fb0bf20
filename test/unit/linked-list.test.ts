import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Linked, LinkedList } from '../../src/core/linked-list.ts';

class Numbered extends Linked {
  readonly number: number;

  constructor(number: number) {
    super();
    this.number = number;
  }
}

describe('a linked list', () => {
  it('holds what a Set would hold, in the order of its coming', () => {
    const step = fc.record({ what: fc.constantFrom('add', 'delete'), number: fc.nat({ max: 9 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const all = Array.from({ length: 10 }, (_, number) => new Numbered(number));
        const list = new LinkedList<Numbered>();
        const set = new Set<Numbered>();
        for (const { what, number } of steps) {
          const one = all[number] as Numbered;
          if (what === 'add') {
            list.add(one);
            set.add(one);
          } else assert.equal(list.delete(one), set.delete(one));
          assert.deepEqual(
            [...list].map((each) => each.number),
            [...set].map((each) => each.number),
          );
          assert.equal(list.size, set.size);
          assert.equal(list.first, [...set][0]);
        }
      }),
    );
  });

  it('goes on behind the one that is deleted while it is looked at', () => {
    const list = new LinkedList<Numbered>();
    for (let number = 0; number < 4; number++) list.add(new Numbered(number));
    const seen: number[] = [];
    for (const one of list) {
      seen.push(one.number);
      list.delete(one);
    }
    assert.deepEqual(seen, [0, 1, 2, 3]);
    assert.equal(list.size, 0);
  });

  it('keeps no neighbour alive by what has left it', () => {
    const list = new LinkedList<Numbered>();
    const three = [0, 1, 2].map((number) => new Numbered(number));
    for (const one of three) list.add(one);
    const [, middle] = three;
    assert.ok(middle);
    list.delete(middle);
    assert.equal(middle.next, undefined);
    assert.equal(middle.previous, undefined);
  });

  it('takes nothing that stands in another list, and deletes nothing that stands there', () => {
    const [one, other] = [new LinkedList<Numbered>(), new LinkedList<Numbered>()];
    const member = new Numbered(0);
    one.add(member);
    other.add(member);
    assert.equal(other.delete(member), false);
    assert.deepEqual([[...one], [...other]], [[member], []]);
  });
});
