import { grouped } from '../grouped.ts';
import { type Html, html, type Piece } from '../html.ts';
import { badge, empty, hash, many, moment, section, table, when } from '../pieces.ts';

interface Names {
  readonly total: number;
  readonly names: readonly string[];
}

/** As GET /trust answers, as far as it is shown. */
export interface TrustAnswer {
  readonly generation: number;
  readonly server_certificate: {
    readonly sha256: string;
    readonly subject: string;
    readonly not_after: string;
  };
  readonly authorities: readonly Authority[];
  readonly crls: readonly {
    readonly source: string;
    readonly issuer: string;
    readonly next_update: string;
    readonly status: string;
    readonly remembered: boolean;
  }[];
  readonly crls_missing: readonly { readonly issuer: string; readonly issuer_sha256: string }[];
  readonly last_seen_by_token: Names;
  readonly would_be_accepted: {
    readonly total: number;
    readonly clusters: readonly { readonly name: string }[];
  };
  readonly conflicts: {
    readonly mode: string;
    readonly total: number;
    readonly clusters: readonly { readonly cluster_dns: string }[];
  };
  readonly expiring: {
    readonly total: number;
    readonly clusters: readonly {
      readonly name: string;
      readonly certificate: { readonly not_after: string };
    }[];
  };
}

interface Authority {
  readonly kind: string;
  readonly role: string;
  readonly status: string;
  readonly revoked_by?: string;
  readonly refused?: { readonly rule: string; readonly detail: string };
  readonly sha256: string;
  readonly subject: string;
  readonly not_before: string;
  readonly not_after: string;
  readonly last_seen: Names;
}

const SOON = '14 days';

export function trustView(trust: TrustAnswer, nowMs: number): Html {
  const { authorities } = trust;
  const anchors = authorities.filter(
    ({ kind, role, status }) => kind === 'cluster' && role === 'anchor' && status === 'in_force',
  );
  const others = authorities.filter((one) => !anchors.includes(one));
  return html`<div class="title"><h1>Trust</h1><p class="note">Generation ${trust.generation}</p></div>
<div data-region="anchors">${section('anchors', 'Cluster CAs', rotation(anchors), rotationNote(anchors))}</div>
<div data-region="expiring">${section('expiring', `Certificates that end within ${SOON}`, expiring(trust.expiring, nowMs))}</div>
<div data-region="tokens">${section('tokens', 'Clusters that still come with a token', still(trust.last_seen_by_token))}</div>
<div data-region="conflicts">${section('conflicts', 'Keys in conflict', conflicts(trust.conflicts), `PIN_CLUSTER_KEYS is ${trust.conflicts.mode}.`)}</div>
<div data-region="crls">${section('crls', 'CRLs', crls(trust, nowMs))}</div>
<div data-region="authorities">${section(
    'authorities',
    'Other certificates of the bundles',
    table(
      many(others.length, 'certificate'),
      [
        { name: 'Subject', kind: 'wide' },
        { name: 'For' },
        { name: 'Role' },
        { name: 'Ends' },
        { name: 'Seen under it' },
        { name: 'SHA-256' },
      ],
      others.map((one) => [
        one.refused === undefined
          ? one.subject
          : html`${one.subject}<p class="sub">${one.refused.detail}</p>`,
        html`${one.kind}s${one.status === 'observed' ? html` <span class="tag">only watched</span>` : undefined}${isRefused(one) ? html` <span class="tag">${ruleOf(one)}</span>` : undefined}`,
        one.role,
        when(one.not_after, nowMs),
        grouped(one.last_seen.total),
        hash(one.sha256),
      ]),
    ),
  )}</div>
${section('server', 'The gateway’s own certificate', html`<p>${trust.server_certificate.subject}, ends ${when(trust.server_certificate.not_after, nowMs)} <span class="sub">${moment(trust.server_certificate.not_after)}</span></p>`)}`;
}

const rotationNote = (anchors: readonly Authority[]): string =>
  anchors.every(isRefused)
    ? 'No CA is trusted: what is in CLUSTER_CA_FILE is refused, and no cluster is let in by its certificate.'
    : anchors.length > 1
      ? 'Each cluster counts for the CA that its last certificate was accepted under. The newest CA is where they are going. A name that is not in the fleet counts until it has been silent for an hour.'
      : 'One CA is trusted. To begin a rotation, add the new one to CLUSTER_CA_FILE beside it.';

const isRefused = ({ revoked_by: by, refused }: Authority): boolean =>
  by !== undefined || refused !== undefined;

/** In people's words, without the underlines of the log. */
const ruleOf = ({ revoked_by: by, refused }: Authority): string =>
  by !== undefined ? 'revoked' : (refused?.rule.replaceAll('_', ' ') ?? '');

function refusalOf({ revoked_by: by, refused }: Authority): Piece {
  if (by !== undefined) return html`<p class="notice bad">Revoked by ${by}: nobody is let in under it.</p>`;
  if (refused === undefined) return undefined;
  return html`<p class="notice bad">Nobody is let in under it: ${refused.detail}.</p>`;
}

/** How far each CA has been left, and by whom it has not. */
function rotation(anchors: readonly Authority[]): Html {
  const all = anchors.reduce((sum, { last_seen: { total } }) => sum + total, 0);
  if (all === 0)
    return html`${empty('No cluster has come with a certificate yet.', 'As clusters poll, they are counted here under their CA.')}${anchors.map((one) => anchor(one, 0, false, anchors.length))}`;
  const newest = anchors.toSorted((a, b) => (a.not_before < b.not_before ? 1 : -1))[0];
  return html`${anchors.map((one) => anchor(one, all, one === newest, anchors.length))}`;
}

function anchor(one: Authority, all: number, isNewest: boolean, count: number): Html {
  const { sha256, subject, not_after: end, last_seen: seen } = one;
  const of = `${grouped(seen.total)} of ${grouped(all)}`;
  const rotating = count > 1 && all > 0;
  const headline = !rotating
    ? many(seen.total, 'cluster')
    : isNewest
      ? `${of} have moved here`
      : seen.total === 0
        ? `none of ${grouped(all)} left`
        : `${of} left`;
  const then: Piece =
    rotating && !isNewest && seen.total === 0
      ? html`<p class="notice good">Nobody comes with it any more. Ask <code>POST /trust/plan</code> what taking it out of CLUSTER_CA_FILE would do, then take it out.</p>`
      : undefined;
  return html`<article class="ca" id="ca-${sha256}">
<h3>${subject}</h3>
<p class="headline">${headline}</p>
${refusalOf(one)}
${all === 0 ? undefined : html`<progress max="${all}" value="${seen.total}" aria-label="${`Clusters that come with ${subject}`}">${of}</progress>`}
<p class="sub">ends ${moment(end)} · ${hash(sha256)} · <a href="/ui?anchor=${sha256}">show in the fleet</a></p>
${then}
${seen.total === 0 || (rotating && isNewest) ? undefined : html`<details><summary>${rotating ? 'Who is left' : 'Who comes with it'}</summary>${names(seen, html`<a href="/ui?anchor=${sha256}">All of them</a>`)}</details>`}
</article>`;
}

function names({ total, names: shown }: Names, all?: Html): Html {
  const left = total - shown.length;
  return html`<ul class="names">${shown.map((name) => html`<li><a href="/ui/clusters/${name}">${name}</a></li>`)}</ul>${left <= 0 ? undefined : html`<p class="note">And ${many(left, 'cluster')} more. ${all}</p>`}`;
}

function expiring({ total, clusters }: TrustAnswer['expiring'], nowMs: number): Html {
  if (total === 0) return empty('None.', 'No cluster’s last certificate ends that soon.');
  return html`${table(
    many(total, 'cluster'),
    [{ name: 'Cluster' }, { name: 'Ends' }],
    clusters.map(({ name, certificate }) => [
      html`<a href="/ui/clusters/${name}">${name}</a>`,
      when(certificate.not_after, nowMs),
    ]),
  )}${total > clusters.length ? html`<p><a href="/ui?expires_within=14d">All of them</a></p>` : undefined}`;
}

const still = (seen: Names): Html =>
  seen.total === 0
    ? empty('None.', 'Every cluster that was seen came with its certificate last.')
    : html`<p>${many(seen.total, 'cluster')}</p>${names(seen)}`;

function conflicts({ total, clusters }: TrustAnswer['conflicts']): Html {
  if (total === 0) return empty('None.', 'No cluster is known by two keys at once.');
  return html`<p class="notice bad">${many(total, 'cluster')} came with two keys at once: a copy of an identity, or a renewal that went wrong.</p>${names({ total, names: clusters.map(({ cluster_dns }) => cluster_dns) })}`;
}

function crls({ crls: known, crls_missing: missing }: TrustAnswer, nowMs: number): Html {
  const gone =
    missing.length === 0
      ? undefined
      : html`<p class="notice bad">Missing, though there were some before: ${missing.map(({ issuer }) => issuer).join('; ')}. Its clients are refused.</p>`;
  if (known.length === 0)
    return html`${gone}${missing.length > 0 ? undefined : empty('No CRLs.', html`Revocations of operators work without. For the CAs’ own, set <code>CRL_DIR</code>.`)}`;
  return html`${gone}${table(
    many(known.length, 'CRL'),
    [
      { name: 'Issuer', kind: 'wide' },
      { name: 'Status' },
      { name: 'Next update' },
      { name: 'File', kind: 'wide' },
    ],
    known.map(({ issuer, status, next_update: next, source, remembered }) => [
      issuer,
      badge(
        status === 'fresh'
          ? { icon: 'current', word: status }
          : status === 'ending'
            ? { icon: 'overdue', word: status }
            : { icon: 'refused', word: status },
      ),
      when(next, nowMs),
      remembered ? html`${source} <span class="tag">remembered</span>` : source,
    ]),
  )}`;
}
