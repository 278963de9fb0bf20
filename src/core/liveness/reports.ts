import { printable } from '../identity/printable.ts';
import { LIMITS } from '../limits.ts';
import { parseDateTime } from '../rfc3339.ts';

/**
 * What clusters report: events of Flux's notification-controller. Flux makes a Kustomization or a HelmRelease, and a source, of
 * each platform component, and names them after its id; so an event of an object of that name is about that component, if the
 * cluster is served one of that id. A ResourceSet, which makes those objects, is told of by itself.
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

/** `isServed`: whether the cluster is served a component of this id. */
export function takeEvent(
  event: FluxEvent,
  nowMs: number,
  isServed: (componentId: string) => boolean,
): TakenEvent {
  const component = componentOf(event, isServed);
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
    // Flux writes several lines; they are told in one.
    message: printable(message.replace(/\s*\n\s*/g, '; '), LIMITS.reportMessageCharactersMax),
    atMs: momentOf(event.timestamp ?? undefined, nowMs),
  };
  return { taken: word === 'fetched' ? 'progress' : word, component, report };
}

function componentOf(
  { involvedObject: { kind, name } }: FluxEvent,
  isServed: (componentId: string) => boolean,
): string | undefined {
  if (!OBJECT_NAME.test(name)) return undefined;
  // No id holds a slash, so no ResourceSet passes for a component.
  if (kind === RESOURCE_SET) return `${RESOURCE_SET}/${name}`;
  return [...APPLIERS, ...SOURCES].includes(kind) && isServed(name) ? name : undefined;
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
 * says nothing. `isServed`: what the cluster is served no more has nothing to say.
 */
export function componentReports(
  reports: Reports,
  isServed: (componentId: string) => boolean,
): readonly ComponentReport[] {
  const decided = new Map<string, Report>();
  for (const report of Object.values(reports)) {
    const { component, kind, word } = report;
    if (word === 'fetched' || (kind !== RESOURCE_SET && !isServed(component))) continue;
    const other = decided.get(component);
    if (other === undefined || outranks(report, other)) decided.set(component, report);
  }
  return [...decided.values()]
    .sort((a, b) => (a.component < b.component ? -1 : 1))
    .map(({ word, ...report }) => ({ ...report, result: word === 'failed' ? 'failed' : 'applied' }));
}

const outranks = (a: Report, b: Report): boolean =>
  a.word === b.word ? a.atMs > b.atMs : a.word === 'failed';
