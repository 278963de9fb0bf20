/**
 * docs/api.md from openapi.yaml: `npm run -s docs:api`. For people: what a route is for, who may, what it takes and gives. The
 * document itself stays what programs read. test/docs holds the page against what this makes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { type Schema, schemaTables, shownType } from './api-schemas.ts';

interface Referring {
  readonly $ref?: string;
}

interface Parameter extends Referring {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly description?: string;
  readonly schema: Schema;
}

interface Content {
  readonly schema?: Schema;
  readonly examples?: Readonly<Record<string, Referring & { readonly value?: unknown }>>;
}

interface Answer extends Referring {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Referring & { readonly description?: string }>>;
  readonly content?: Readonly<Record<string, Content>>;
}

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly 'x-fluxgate-audience': 'public' | 'flux' | 'operator';
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Referring & { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, Answer>>;
}

export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation | readonly Parameter[]>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const AUDIENCES = Object.freeze({
  public: 'anybody',
  flux: 'the cluster itself, readers; see the description',
  operator: 'operators, from `OPERATOR_NETWORKS`, in crud mode',
});
/** Longer examples are in openapi.yaml: a page is for reading. */
const EXAMPLE_LINES_MAX = 60;

interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
  readonly parameters: readonly Parameter[];
}

/** As a heading becomes an anchor. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

const cell = (text: string): string => text.trim().replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');

/** Markdown, with a newline at the end. Throws where the document refers to what is not there. */
export function apiReference(document: ApiDocument): string {
  const resolve = <T extends Referring>(thing: T): T => {
    if (thing.$ref === undefined) return thing;
    const [section = '', name = ''] = thing.$ref.replace('#/components/', '').split('/');
    const found = document.components[section]?.[name];
    if (found === undefined) throw new Error(`${thing.$ref} is not there`);
    return found as T;
  };
  const routes = routesOf(document, resolve);
  const page = [
    '# API reference',
    'Made from [openapi.yaml](../openapi.yaml) by `npm run -s docs:api`; a running gateway serves that document at `/openapi.yaml`. How to change things\nwith it, with commands: [changing the fleet](changing-the-fleet.md). What each status means: [troubleshooting](troubleshooting.md).',
    document.info.description.trim(),
    ...contents(document, routes),
  ];
  for (const { name, description } of document.tags) {
    page.push(`## ${tagHeading(name)}`, description);
    for (const route of routesOfTag(routes, name)) page.push(...routeSection(route, resolve));
  }
  page.push('## Schemas', ...schemaTables(document.components, answerExamples(routes, resolve)));
  return `${page.join('\n\n')}\n`;
}

const routesOfTag = (routes: readonly Route[], tag: string): readonly Route[] =>
  routes.filter(({ operation }) => operation.tags.includes(tag));

function routesOf(document: ApiDocument, resolve: <T extends Referring>(thing: T) => T): readonly Route[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => {
      const operation = item[method] as Operation;
      const shared = (item['parameters'] ?? []) as readonly Parameter[];
      const parameters = [...shared, ...(operation.parameters ?? [])].map(resolve);
      return { method: method.toUpperCase(), path, operation, parameters };
    }),
  );
}

/** A schema may be called as a tag is. */
const tagHeading = (tag: string): string => `Routes: ${tag}`;

const heading = ({ method, path }: Route): string => `${method} ${path}`;

function contents(document: ApiDocument, routes: readonly Route[]): readonly string[] {
  const lines = document.tags.flatMap(({ name }) => [
    `| **[${name}](#${anchorOf(tagHeading(name))})** | |`,
    ...routesOfTag(routes, name).map(
      (route) =>
        `| [\`${heading(route)}\`](#${anchorOf(heading(route))}) | ${cell(route.operation.summary)} |`,
    ),
  ]);
  return [['| route | |', '|---|---|', ...lines].join('\n')];
}

function routeSection(route: Route, resolve: <T extends Referring>(thing: T) => T): readonly string[] {
  const { operation, parameters } = route;
  const out = [
    `### ${heading(route)}`,
    `**${operation.summary}.** ${operation.description?.trim() ?? ''}`.trim(),
    `For ${AUDIENCES[operation['x-fluxgate-audience']]}. Operation \`${operation.operationId}\`.`,
  ];
  if (parameters.length > 0) {
    const rows = parameters.map(
      (one) =>
        `| \`${one.name}\` | ${one.in} | ${cell(shownType(one.schema))} | ${cell(one.description ?? '')} |`,
    );
    out.push(['| parameter | in | | |', '|---|---|---|---|', ...rows].join('\n'));
  }
  const body = operation.requestBody === undefined ? undefined : resolve(operation.requestBody);
  for (const [type, content] of Object.entries(body?.content ?? {})) {
    out.push(`Body, \`${type}\`: ${shownType(content.schema)}.`, ...example(content, resolve));
  }
  const failures: string[] = [];
  for (const [status, referred] of Object.entries(operation.responses)) {
    if (status >= '400') failures.push(status);
    else out.push(...answerSection(status, resolve(referred)));
  }
  if (failures.length > 0) out.push(`Errors: ${failures.join(', ')}.`);
  return out;
}

function answerSection(status: string, answer: Answer): readonly string[] {
  const contents = Object.entries(answer.content ?? {});
  const types = contents.map(([type, { schema }]) => ` \`${type}\`: ${shownType(schema)}.`).join('');
  const headers = Object.keys(answer.headers ?? {}).map((name) => `\`${name}\``);
  const shown = headers.length === 0 ? '' : ` Headers: ${headers.join(', ')}.`;
  return [`**${status}**: ${cell(answer.description)}${types}${shown}`];
}

/** Of each schema that is an answer the first example, once: it stands beside the schema. */
function answerExamples(
  routes: readonly Route[],
  resolve: <T extends Referring>(thing: T) => T,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { operation } of routes) {
    for (const referred of Object.values(operation.responses)) {
      for (const content of Object.values(resolve(referred).content ?? {})) {
        const name = content.schema?.$ref?.split('/').at(-1);
        const [text] = example(content, resolve);
        if (name !== undefined && text !== undefined && !found.has(name)) found.set(name, text);
      }
    }
  }
  return found;
}

function example(content: Content, resolve: <T extends Referring>(thing: T) => T): readonly string[] {
  const [first] = Object.values(content.examples ?? {});
  if (first === undefined) return [];
  const text = JSON.stringify(resolve(first).value, null, 2);
  return text.split('\n').length > EXAMPLE_LINES_MAX ? [] : [`\`\`\`json\n${text}\n\`\`\``];
}

export const API_REFERENCE = new URL('../docs/api.md', import.meta.url);

export function readApiDocument(): ApiDocument {
  return parse(readFileSync(new URL('../openapi.yaml', import.meta.url), 'utf8')) as ApiDocument;
}

if (import.meta.main) {
  writeFileSync(API_REFERENCE, apiReference(readApiDocument()));
  process.stdout.write(`${fileURLToPath(API_REFERENCE)} is written\n`);
}
