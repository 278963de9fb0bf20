import { createHash } from 'node:crypto';
import { printable } from '../identity/printable.ts';
import { LIMITS } from '../limits.ts';
import { parseDateTime } from '../rfc3339.ts';

/**
 * What clusters report: events of Flux's notification-controller. A ResourceSet makes a Kustomization or a HelmRelease, and a source,
 * of each platform component, and names them after its id (deploy/cluster: `component-ID`; or by the id alone, in ResourceSets of
 * one's own); so an event of an object of such a name is about that component, if the cluster is served it. A ResourceSet itself is told
 * of by itself.
 */

/** As the document's schema FluxEvent lets it in. */
export interface FluxEvent {
  readonly involvedObject: { readonly kind: string; readonly name: string };
  readonly severity: 'trace' | 'info' | 'error';
  /** RFC 3339. */
  readonly timestamp?: string | null;
  readonly message: string;
  readonly reason: string;
  readonly metadata?: Readonly<Record<string, string>> | null;
}

/** `fetched`: a source has what it should; what became of that, others say. */
type Word = 'applied' | 'failed' | 'fetched';

/** An object's last word, in the cluster's words, escaped and cut. */
export interface Report {
  readonly component: string;
  readonly kind: string;
  readonly word: Word;
  readonly revision: string | undefined;
  readonly reason: string;
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** By the object: no kind holds a space. */
export type Reports = Readonly<Record<string, Report>>;

export interface ComponentReport extends Omit<Report, 'word'> {
  readonly result: 'applied' | 'failed';
}

export const TAKEN = Object.freeze(['applied', 'failed', 'progress', 'ignored'] as const);

export interface TakenEvent {
  readonly taken: (typeof TAKEN)[number];
  readonly component: string | undefined;
  /** undefined: nothing is to be kept of it. */
  readonly report: Report | undefined;
}

const APPLIERS: readonly string[] = ['Kustomization', 'HelmRelease'];
const SOURCES: readonly string[] = [
  'OCIRepository',
  'HelmRepository',
  'HelmChart',
  'GitRepository',
  'Bucket',
];
const RESOURCE_SET = 'ResourceSet';

/** RFC 1123, as Kubernetes names objects. */
const OBJECT_NAME = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;

/** `served`: the ids of the components that the cluster is served. */
export function takeEvent(event: FluxEvent, nowMs: number, served: ReadonlySet<string>): TakenEvent {
  const component = componentOf(event, served);
  if (component === undefined) return { taken: 'ignored', component, report: undefined };
  const { involvedObject, reason, message } = event;
  const word = wordOf(event);
  if (word === undefined) return { taken: 'progress', component, report: undefined };
  const revision = revisionOf(event.metadata ?? {});
  const report: Report = {
    component,
    kind: involvedObject.kind,
    word,
    revision: revision === undefined ? undefined : printable(revision, LIMITS.reportTextCharactersMax),
    reason: printable(reason, LIMITS.reportTextCharactersMax),
    message: printable(inOneLine(message), LIMITS.reportMessageCharactersMax),
    atMs: momentOf(event.timestamp ?? undefined, nowMs),
  };
  return { taken: word === 'fetched' ? 'progress' : word, component, report };
}

/** Flux writes several lines. Line by line, as a pattern for white space around their ends takes the square of its length to find none. */
function inOneLine(message: string): string {
  const lines = message.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').join('; ');
}

function componentOf(
  { involvedObject: { kind, name } }: FluxEvent,
  served: ReadonlySet<string>,
): string | undefined {
  if (!OBJECT_NAME.test(name)) return undefined;
  // No id holds a slash, so no ResourceSet passes for a component.
  if (kind === RESOURCE_SET) return `${RESOURCE_SET}/${name}`;
  if (!APPLIERS.includes(kind) && !SOURCES.includes(kind)) return undefined;
  // Where there are both "x" and "component-x", an object "component-x" is that of "x".
  return componentNamed(name, served) ?? (served.has(name) ? name : undefined);
}

const PREFIX = 'component-';
/** Longer ids make names that Helm does not take: deploy/cluster cuts them and adds the start of their hash. */
const WHOLE_ID_MAX = 53;
const CUT_ID = 44;
const HASH_DIGITS = 8;

/** As deploy/cluster names the objects of a component. */
export function objectName(id: string): string {
  if (id.length <= WHOLE_ID_MAX) return `${PREFIX}${id}`;
  const hash = createHash('sha256').update(id).digest('hex').slice(0, HASH_DIGITS);
  return `${PREFIX}${id.slice(0, CUT_ID)}-${hash}`;
}

function componentNamed(name: string, served: ReadonlySet<string>): string | undefined {
  if (!name.startsWith(PREFIX)) return undefined;
  const id = name.slice(PREFIX.length);
  if (id.length <= WHOLE_ID_MAX && served.has(id)) return id;
  const isCut = id.length === CUT_ID + 1 + HASH_DIGITS;
  if (!isCut) return undefined;
  const start = id.slice(0, CUT_ID);
  return [...served].find((one) => one.startsWith(start) && objectName(one) === name);
}

/** undefined: it is on its way (Progressing, DependencyNotReady, …). */
function wordOf({ severity, reason, involvedObject: { kind } }: FluxEvent): Word | undefined {
  // Helm went back: what was to be applied is not.
  if (severity === 'error' || reason === 'RollbackSucceeded') return 'failed';
  if (severity === 'trace') return undefined;
  if (SOURCES.includes(kind)) return 'fetched';
  return /Succeeded$/.test(reason) && !/^(Uninstall|Prune)/.test(reason) ? 'applied' : undefined;
}

/** notification-controller takes the group off its keys (`kustomize.toolkit.fluxcd.io/revision`); older ones do not. */
function revisionOf(metadata: Readonly<Record<string, string>>): string | undefined {
  return Object.entries(metadata).find(([key]) => key === 'revision' || key.endsWith('/revision'))?.[1];
}

/**
 * A cluster's clock is its own: nothing is reported from the future, where it would outlast whatever comes, and nothing from so
 * long ago that it would never be heard again after a clock went back.
 */
function momentOf(timestamp: string | undefined, nowMs: number): number {
  const saidMs = timestamp === undefined ? nowMs : (parseDateTime(timestamp) ?? nowMs);
  return Math.min(nowMs, Math.max(saidMs, nowMs - LIMITS.reportAgeMsMax));
}

export const reportKey = ({ kind, component }: Report): string => `${kind} ${component}`;

/** The later word of each object; of two of the same second, b's. Only the newest are kept. */
export function mergeReports(a: Reports, b: Reports): Reports {
  const merged: Record<string, Report> = { ...a };
  for (const [key, report] of Object.entries(b)) {
    const before = merged[key];
    if (before === undefined || report.atMs >= before.atMs) merged[key] = report;
  }
  const entries = Object.entries(merged);
  if (entries.length <= LIMITS.reportsPerClusterMax) return merged;
  return Object.fromEntries(
    entries.sort(([, x], [, y]) => y.atMs - x.atMs).slice(0, LIMITS.reportsPerClusterMax),
  );
}

/**
 * What each component came to, by name: failed where any of its objects says so, whatever the others say; that its source was fetched
 * says nothing. What the cluster is served no more has nothing to say.
 */
export function componentReports(
  reports: Reports,
  served: Pick<ReadonlySet<string>, 'has'>,
): readonly ComponentReport[] {
  const decided = new Map<string, Report>();
  for (const report of Object.values(reports)) {
    const { component, kind, word } = report;
    if (word === 'fetched' || (kind !== RESOURCE_SET && !served.has(component))) continue;
    const other = decided.get(component);
    if (other === undefined || outranks(report, other)) decided.set(component, report);
  }
  return [...decided.values()]
    .sort((a, b) => (a.component < b.component ? -1 : 1))
    .map(({ word, ...report }) => ({ ...report, result: word === 'failed' ? 'failed' : 'applied' }));
}

const outranks = (a: Report, b: Report): boolean =>
  a.word === b.word ? a.atMs > b.atMs : a.word === 'failed';
