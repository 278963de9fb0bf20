/** The fleet's objects as they are stored and answered (contract §3, Objects). `null` never occurs: it means absent. */

export const ENVIRONMENTS = Object.freeze(['dev', 'qa', 'uat', 'prod'] as const);
export type Environment = (typeof ENVIRONMENTS)[number];

/** What may become of a cluster's answers; see states.ts. Absent in a document: active. */
export const CLUSTER_STATES = Object.freeze(['active', 'frozen', 'decommissioning', 'retired'] as const);
export type ClusterState = (typeof CLUSTER_STATES)[number];

export interface ComponentAssignment {
  readonly id: string;
  readonly enabled: boolean;
  readonly oci_tag?: string;
  readonly component_path?: string;
}

/** One key of a Kubernetes Secret in the cluster. */
export interface SecretRef {
  readonly name: string;
  readonly key: string;
}

export interface Reference {
  readonly id: string;
}

export interface Cluster {
  readonly id: string;
  readonly cluster_name: string;
  /** Canonical, unique in the fleet; equal to the DNS identity of the cluster's certificate. */
  readonly cluster_dns: string;
  readonly environment: Environment;
  readonly node_count?: number;
  readonly vm_image?: string;
  readonly k0s_version?: string;
  /** For selection by operators; clusters are not told. Never empty. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly platform_components: readonly ComponentAssignment[];
  readonly namespaces: readonly Reference[];
  readonly rolebindings: readonly Reference[];
  /** component id → key → value; only for assigned components. */
  readonly patches: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** component id → key → the key of a Secret in the cluster, for `valuesFrom`; only for assigned components. */
  readonly secret_refs?: Readonly<Record<string, Readonly<Record<string, SecretRef>>>>;
  /** `spec.filter.limit` of the cluster's providers: Flux cuts an answer off after so many inputs. Absent: 100. */
  readonly filter_limit?: number;
  /** Absent: active. */
  readonly state?: Exclude<ClusterState, 'active'>;
}

/** Whose signature is accepted: regular expressions over issuer and subject of the signing certificate; see signers.ts. */
export interface Signer {
  readonly issuer: string;
  readonly subject: string;
}

/** What clusters verify of an artefact before they use it: Flux's OCIRepository `spec.verify`, without keys of one's own. */
export interface Verification {
  readonly provider: 'cosign';
  readonly match_oidc_identity: readonly Signer[];
}

export interface PlatformComponent {
  readonly id: string;
  readonly component_path: string;
  readonly component_version: string;
  readonly cluster_env_enabled: boolean;
  readonly oci_url: string;
  readonly oci_tag: string;
  readonly depends_on: readonly string[];
  /** Absent: artefacts are taken as they are. */
  readonly verify?: Verification;
}

export interface Namespace {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Subject {
  readonly kind: 'User' | 'Group' | 'ServiceAccount';
  readonly name: string;
  readonly namespace?: string;
  readonly apiGroup?: string;
}

export interface Rolebinding {
  readonly id: string;
  readonly role: string;
  readonly subjects: readonly Subject[];
}

/** Kind name → object. */
export interface FleetObjects {
  cluster: Cluster;
  platform_component: PlatformComponent;
  namespace: Namespace;
  rolebinding: Rolebinding;
}

/** Kind name → path segment of the API, which is also the top-level key of a seed. */
export interface FleetCollections {
  cluster: 'clusters';
  platform_component: 'platform_components';
  namespace: 'namespaces';
  rolebinding: 'rolebindings';
}

export type FleetKind = keyof FleetObjects;
export type FleetObject = FleetObjects[FleetKind];
