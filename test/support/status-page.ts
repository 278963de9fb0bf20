import assert from 'node:assert/strict';
import type { ClientAnswer, ClientRequest } from './client.ts';
import type { TestGateway } from './gateway.ts';

/** What a browser does with the status page, without one: it keeps cookies, fills in forms, and says where they were sent from. */
export interface Visitor {
  /** As `__Host-…=…` lines; what the next request sends. */
  readonly cookies: Map<string, string>;
  get(path: string, request?: Partial<ClientRequest>): Promise<ClientAnswer>;
  /** A form as the page has it: its hidden token is looked up in `page`. */
  post(
    path: string,
    fields: Readonly<Record<string, string>>,
    request?: Partial<ClientRequest>,
  ): Promise<ClientAnswer>;
  /** Opens /ui and signs in. */
  signIn(token: string, request?: Partial<ClientRequest>): Promise<ClientAnswer>;
}

export const HTML = { accept: 'text/html,application/xhtml+xml' } as const;
export const SESSION = '__Host-fluxgate';

export function visitor(gateway: TestGateway, always: Partial<ClientRequest> = {}): Visitor {
  const cookies = new Map<string, string>();
  const send = async (request: ClientRequest): Promise<ClientAnswer> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...HTML, ...(cookie === '' ? {} : { cookie }), ...always.headers, ...request.headers };
    const answer = await gateway.send({ ...always, ...request, headers });
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) keep(line);
    return answer;
  };
  const keep = (line: string): void => {
    const [pair = '', ...attributes] = line.split('; ');
    const at = pair.indexOf('=');
    assert.ok(attributes.includes('HttpOnly') && attributes.includes('Secure'), line);
    assert.ok(attributes.includes('SameSite=Strict') && attributes.includes('Path=/'), line);
    assert.match(pair, /^__Host-/);
    if (attributes.includes('Max-Age=0')) cookies.delete(pair.slice(0, at));
    else cookies.set(pair.slice(0, at), pair.slice(at + 1));
  };
  const self: Visitor = {
    cookies,
    get: (path, request = {}) => send({ ...request, path }),
    post: (path, fields, request = {}) =>
      send({
        ...request,
        method: 'POST',
        path,
        body: new URLSearchParams(fields).toString(),
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          origin: `https://localhost:${gateway.port}`,
          'sec-fetch-site': 'same-origin',
          ...request.headers,
        },
      }),
    async signIn(token, request = {}) {
      const page = await self.get('/ui', request);
      return self.post('/ui', { token, form_token: formTokenOf(page), next: '' }, request);
    },
  };
  return self;
}

/** Of the first form on the page. */
export function formTokenOf(page: ClientAnswer): string {
  const found = /name="form_token" value="(?<token>[A-Za-z0-9_-]{43})"/.exec(page.body.toString('utf8'));
  assert.ok(found?.groups, `no form: ${page.status}`);
  return found.groups['token'] ?? '';
}

export const text = (answer: ClientAnswer): string => answer.body.toString('utf8');
