import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type Document, OpenAPIBackend } from 'openapi-backend';
import { parse } from 'yaml';
import { assertValidFluxAnswer } from './flux-answer.ts';

const definition = parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8')) as Document;
// Compiled when it is needed: a test file asks for a few answers of a document that has hundreds.
const backend = new OpenAPIBackend({
  definition,
  ignoreTrailingSlashes: false,
  quick: true,
});
await backend.init();

export interface ReceivedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Every answer in every test passes here: it is as openapi.yaml documents it, and never a redirect or a stack. */
export function assertDocumented(method: string, path: string, answer: ReceivedAnswer): void {
  const { status, headers, body } = answer;
  assert.ok(status < 300 || status >= 400, `redirect ${status}`);
  assert.notEqual(status, 500);
  assert.equal(typeof headers['x-request-id'], 'string', 'every answer has a request id');
  const [bare = ''] = path.split('?');
  const isAsset = status === 200 && bare.startsWith('/ui/assets/');
  assert.equal(headers['cache-control'], isAsset ? 'public, max-age=31536000, immutable' : 'no-store');
  const text = body.toString('utf8');
  assert.doesNotMatch(text, /node_modules|\bat \S+ \(|SELECT |INSERT |SQLITE/);
  const isPage = String(headers['content-type']).startsWith('text/html');
  if (isPage) assertPage(bare, text, answer);
  else if (status >= 400) assertError(JSON.parse(text), answer);

  const operation = backend.matchOperation({ method, path: bare, headers: {} });
  if (operation === undefined) {
    assert.ok([400, 401, 404, 405, 421, 495].includes(status), `${status} from a route that is not there`);
    return;
  }
  assert.ok(
    String(status) in (operation.responses ?? {}),
    `${operation.operationId} does not document ${status}`,
  );
  if (String(headers['content-type']).startsWith('application/json')) {
    const result = backend.validateResponse(JSON.parse(text), operation, status);
    assert.deepEqual(result.errors ?? [], [], `${operation.operationId} ${status}: ${text.slice(0, 400)}`);
  }
  if (status === 200 && bare.startsWith('/api/v2/flux/')) assertValidFluxAnswer(body, headers);
}

/** Pages are under /ui alone; each is whole, closed to scripts of others, and has no code in it. */
function assertPage(path: string, text: string, { headers }: ReceivedAnswer): void {
  assert.match(path, /^\/ui(\/|$)/);
  assert.match(text, /^<!doctype html>[\s\S]*<\/html>\s*$/);
  const policy = String(headers['content-security-policy']);
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "frame-ancestors 'none'",
  ]) {
    assert.ok(policy.includes(part), policy);
  }
  assert.doesNotMatch(policy, /unsafe|https?:|data:|\*/);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['referrer-policy'], 'same-origin');
  for (const [tag] of text.matchAll(/<[^>]*>?/g)) {
    if (/^<(?:!doctype html|\/[a-z][a-z0-9]*)>$/.test(tag)) continue;
    assert.match(tag, /^<[a-z][a-z0-9]*(?:\s+[a-zA-Z][a-zA-Z:-]*(?:="[^"<]*")?)*\s*>$/, tag);
    const bare = tag.replaceAll(/"[^"]*"/g, '""');
    assert.doesNotMatch(bare, /^<style|^<(?:iframe|object|embed|base)\b|\s(?:on[a-z]+|style|srcdoc)=/i);
    if (tag.startsWith('<script'))
      assert.match(tag, /^<script src="\/ui\/assets\/page-[0-9a-f]{16}\.js" defer>$/);
    for (const [, url = ''] of tag.matchAll(/\s(?:href|src|action)="([^"]*)"/g))
      assert.match(url, /^(?:\/ui(?:[/?#]|$)|#)/);
  }
}

function assertError(parsed: unknown, { headers }: ReceivedAnswer): void {
  const error = parsed as Record<string, unknown>;
  const known = ['error', 'message', 'request_id', 'details', 'plan'];
  assert.deepEqual(
    Object.keys(error).filter((key) => !known.includes(key)),
    [],
  );
  assert.equal(error['request_id'], headers['x-request-id']);
  assert.match(String(error['message']), /\.$/, 'a message is a sentence');
}
