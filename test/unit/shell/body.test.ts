import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { FluxgateError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { readBody } from '../../../src/shell/http/body.ts';

/** A request whose body comes in pieces; `given`: how many of them were asked for. */
function requestOf(pieces: Iterable<Uint8Array>, headers: Readonly<Record<string, string>> = {}) {
  let given = 0;
  const counted = function* (): Generator<Uint8Array> {
    for (const piece of pieces) {
      given++;
      yield piece;
    }
  };
  const request = Object.assign(Readable.from(counted()), { headers }) as unknown as IncomingMessage;
  return { request, given: () => given };
}

function* pieces(count: number, octets: number): Generator<Uint8Array> {
  for (let n = 0; n < count; n++) yield Buffer.alloc(octets, 0x20);
}

const refusalOf = async (reading: Promise<unknown>): Promise<FluxgateError> => {
  const error = await reading.then(
    () => undefined,
    (problem: unknown) => problem,
  );
  assert.ok(error instanceof FluxgateError, 'it was taken');
  return error;
};

/** What a stream has at hand besides the piece that it gives. */
const AHEAD = 64;

describe('a body', () => {
  it('in pieces of one octet is read no further than a body of ours ever needs', async () => {
    const { request, given } = requestOf(pieces(100_000, 1));
    const error = await refusalOf(readBody(request, LIMITS.eventBytesMax));
    assert.equal(error.code, 'malformed_request');
    assert.match(error.message, /too many small pieces/);
    const most = LIMITS.bodyPiecesMax * (1 + 1 / LIMITS.bodyPieceOctets) + AHEAD;
    assert.ok(given() <= most, `${given()} pieces were read`);
    assert.equal(request.destroyed, false, 'the answer still has to go out');
  });

  for (const [what, count, octets, octetsMax] of [
    ['an event of ordinary size, octet by octet', 4_000, 1, LIMITS.eventBytesMax],
    ['an object of the fleet, in TLS records of 1,200 octets', 873, 1_200, LIMITS.bodyBytesMax],
    ['a whole fleet, in TLS records of 1,200 octets', 27_962, 1_200, LIMITS.importBytesMax],
    ['nothing', 0, 0, LIMITS.bodyBytesMax],
  ] as const) {
    it(`that is ${what}, is taken`, async () => {
      const { request } = requestOf(pieces(count, octets));
      assert.equal((await readBody(request, octetsMax)).length, count * octets);
    });
  }

  it('that is too large is refused as soon as that is known', async () => {
    const said = requestOf(pieces(10, 10), { 'content-length': '101' });
    assert.equal((await refusalOf(readBody(said.request, 100))).code, 'payload_too_large');
    assert.equal(said.given(), 0);
    const unsaid = requestOf(pieces(1_000, 10));
    assert.equal((await refusalOf(readBody(unsaid.request, 100))).code, 'payload_too_large');
    assert.ok(unsaid.given() <= 11 + AHEAD, `${unsaid.given()} pieces were read`);
    assert.equal(unsaid.request.destroyed, false, 'the answer still has to go out');
  });

  it('that is cut off is refused, also when that was before anybody read it', async () => {
    const cut = Object.assign(new Readable({ read: () => undefined }), { headers: {} });
    cut.push('{"a":');
    setImmediate(() => cut.destroy());
    assert.equal(
      (await refusalOf(readBody(cut as unknown as IncomingMessage, 100))).code,
      'malformed_request',
    );
    const gone = requestOf(pieces(2, 2)).request;
    gone.destroy();
    await new Promise((resolve) => gone.once('close', resolve));
    assert.equal((await refusalOf(readBody(gone, 100))).code, 'malformed_request');
  });
});
