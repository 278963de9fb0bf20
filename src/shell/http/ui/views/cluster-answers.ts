import type { PlannedCluster } from './changes.ts';
import type { FleetCluster } from './fleet.ts';

/** What the JSON routes answer about one cluster, as far as it is shown. */

/** As GET /fleet/{cluster_dns} answers. */
export interface ClusterAnswer extends FleetCluster {
  readonly components: readonly {
    readonly component: string;
    readonly result: string;
    readonly revision: string | null;
    readonly reason: string;
    readonly message: string;
    readonly at: string;
    readonly kind: string;
  }[];
  readonly unreported: readonly string[];
}

export type Input = Readonly<Record<string, unknown>> & { readonly id: string };

export interface RenderedAnswer {
  readonly revision: number;
  readonly platform_components: { readonly inputs: readonly Input[] };
  readonly namespaces: { readonly inputs: readonly Input[] };
  readonly rolebindings: { readonly inputs: readonly Input[] };
}

export interface HistoryAnswer {
  readonly looked_back_to: number;
  readonly more: boolean;
  readonly revisions: readonly {
    readonly revision: number;
    readonly at: string;
    readonly author: string;
    readonly action: string;
    readonly reason?: string;
    readonly change?: PlannedCluster;
  }[];
}

export interface SightingAnswer {
  readonly certificate?: {
    readonly sha256: string;
    readonly spki_sha256: string;
    readonly serial: string;
    readonly subject: string;
    readonly issuer: string;
    readonly anchor_sha256: string;
    readonly not_after: string;
  };
  readonly token_id?: string;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly count: number;
  readonly source: string;
  readonly tls: { readonly version: string; readonly cipher: string; readonly group: string | null };
}

export interface PresentedAnswer {
  readonly certificate?: SightingAnswer;
  readonly token?: SightingAnswer;
  readonly observed?: SightingAnswer;
  readonly pin?: {
    readonly spki_sha256: string;
    readonly since: string;
    readonly conflict?: { readonly spki_sha256: string; readonly last_seen: string; readonly count: number };
  };
}

export interface RefusalAnswer {
  readonly known_by?: string;
  readonly last_at: string;
  readonly count: number;
  readonly status: number;
  readonly error: string;
  readonly reason: string;
  readonly source: string;
  readonly method: string;
  readonly path: string;
  readonly rule?: string;
  readonly certificate_sha256?: string;
  readonly last_request_id: string;
}
