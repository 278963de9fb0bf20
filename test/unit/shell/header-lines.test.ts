import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headerLines, joinedHeader } from '../../../src/shell/http/header-lines.ts';

const request = {
  rawHeaders: ['Host', 'a', 'X-Other', 'host', 'hOSt', 'b', 'Hosts', 'c', 'host', ''],
};

describe('the lines of a header', () => {
  it('are all of that name, however it is written, in their order, and no others', () => {
    assert.deepEqual(headerLines(request, 'host'), ['a', 'b', '']);
    assert.deepEqual(headerLines(request, 'x-other'), ['host']);
    assert.deepEqual(headerLines(request, 'absent'), []);
  });

  it('are joined as one value; an empty one is a value, and none is not', () => {
    assert.equal(joinedHeader(request, 'host'), 'a, b, ');
    assert.equal(joinedHeader({ rawHeaders: ['Empty', ''] }, 'empty'), '');
    assert.equal(joinedHeader(request, 'absent'), undefined);
  });
});
