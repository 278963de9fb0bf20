import assert from 'node:assert/strict';

/** Flux Operator's bound on an ExternalService body, decompressed. */
const BODY_BYTES_MAX = 921_600;

/**
 * The rules of a valid Flux answer, in one place, asserted on every 200 of a Flux route in every test: whatever breaks one
 * of them stalls a ResourceSet or makes Flux uninstall something.
 */
export function assertValidFluxAnswer(body: Buffer, headers: Readonly<Record<string, unknown>>): void {
  assert.ok(body.byteLength <= BODY_BYTES_MAX, `body of ${body.byteLength} bytes`);
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers['content-encoding'], undefined);
  assert.equal(headers['connection'], 'close', 'Flux never reuses a connection');
  const parsed: unknown = JSON.parse(body.toString('utf8'));
  assert.ok(isObject(parsed), 'one JSON object');
  const { inputs } = parsed;
  assert.ok(Array.isArray(inputs), 'inputs is an array');
  const ids = new Set<string>();
  const keys = new Set<string>();
  for (const input of inputs as unknown[]) {
    assert.ok(isObject(input), 'each input is an object');
    assert.equal(typeof input['id'], 'string', 'each input has a string id');
    assert.ok(!ids.has(input['id'] as string), `id ${input['id']} twice`);
    ids.add(input['id'] as string);
    assert.ok(!('provider' in input), 'the key provider is reserved');
    // Where a component has none, an empty one would mean that anybody may have signed: templates ask hasKey.
    keys.add(JSON.stringify(Object.keys(input).filter((key) => key !== 'verify')));
    assertPlain(input);
  }
  assert.ok(keys.size <= 1, 'every input has the same keys');
}

/** Numbers pass through float64 in Flux; null and control characters break templates. */
function assertPlain(value: unknown): void {
  assert.notEqual(value, null, 'no null: a template would print it');
  if (typeof value === 'number') assert.ok(Number.isSafeInteger(value), `number ${value}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (typeof value === 'string') assert.doesNotMatch(value, /[\u0000-\u001f\u007f]/);
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) assertPlain(part);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
