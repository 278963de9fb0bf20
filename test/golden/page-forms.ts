/** The status page's forms in the golden matrix. */
import assert from 'node:assert/strict';
import { formToken, type PageKeys } from '../../src/core/identity/page-session.ts';
import { FORM_COOKIE } from '../../src/shell/http/ui/sessions.ts';
import type { ClientRequest } from '../support/client.ts';

/** Status → principals. */
type Row = Readonly<Record<string, readonly string[]>>;

/**
 * Forms of the status page, as its pages send them but for what the page wrote into the form: so whoever may send one at all is
 * refused for that. What a right form does is what the JSON route does, and is in the scenarios.
 */
export const FORMS: readonly string[] = ['signOut', 'approveOnPage'];
/** For whoever is nobody yet; here with a right form and a token that nobody has. Tokens in headers are not looked at. */
const SIGN_IN = 'signInOnPage';
const NONCE = 'golden-golden-golden-g';

/** undefined: the operation is no form. */
export function formFor(
  operationId: string,
  keys: PageKeys,
): Pick<ClientRequest, 'body' | 'headers'> | undefined {
  if (operationId !== SIGN_IN && !FORMS.includes(operationId)) return undefined;
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'sec-fetch-site': 'same-origin',
    cookie: `${FORM_COOKIE}=${NONCE}`,
  };
  const fields: Record<string, string> =
    operationId === SIGN_IN
      ? { token: 'a-token-that-nobody-has', form_token: formToken(keys, `sign-in ${NONCE}`), next: '' }
      : { form_token: 'x'.repeat(43) };
  return { headers, body: new URLSearchParams(fields).toString() };
}

/** Nobody gets in with a token that nobody has; who has a certificate is somebody already. */
function assertSignIn(row: Row, hostile: readonly string[]): void {
  assert.deepEqual(Object.keys(row), ['401', '403', '495']);
  const { 401: unknown = [], 403: forbidden = [], 495: refused = [] } = row;
  assert.ok(unknown.includes('anonymous'));
  assert.ok(unknown.every((name) => !/operator certificate|certificate of|cluster, /.test(name)));
  for (const name of ['operator certificate', 'cluster, own path', 'writer, outside the operator networks']) {
    assert.ok(forbidden.includes(name), name);
  }
  assert.ok(refused.every((name) => name.startsWith('refused: ')));
  for (const name of hostile) assert.ok(refused.includes(`refused: ${name}`), name);
}

/** Style and script of the page tell nothing: they are for anybody in the operators' networks. There is none of this name. */
function assertAsset(row: Row, hostile: readonly string[]): void {
  assert.deepEqual(Object.keys(row), ['403', '404', '495']);
  const { 403: forbidden = [], 404: absent = [], 495: refused = [] } = row;
  for (const name of ['writer', 'operator certificate'])
    assert.ok(forbidden.includes(`${name}, outside the operator networks`));
  assert.ok(absent.includes('anonymous') && absent.includes('operator certificate'));
  for (const name of hostile) assert.ok(refused.includes(`refused: ${name}`), name);
}

/** Operations of the page that are for whoever is nobody yet, each with what it denies; `hostile`: names of refused certificates. */
export const OWN_ROWS: Readonly<Record<string, (row: Row, hostile: readonly string[]) => void>> = {
  [SIGN_IN]: assertSignIn,
  getAsset: assertAsset,
};
