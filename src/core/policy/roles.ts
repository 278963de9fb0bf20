import { ENVIRONMENTS, type Environment } from '../fleet/objects.ts';

/** What the shipped policies know of: one file for each in policy/, role-NAME.cedar. */
export const ROLES = Object.freeze(['viewer', 'editor', 'approver', 'security', 'admin'] as const);
export type Role = (typeof ROLES)[number];

/** Roles that are about the whole fleet: a scope would be a promise that nothing keeps. */
export const FLEET_WIDE_ROLES: readonly Role[] = Object.freeze(['security', 'admin']);

/** What a credential says of its holder; what that permits is for the policies to say. */
export interface Grants {
  readonly roles: readonly Role[];
  /** Empty: all of them. */
  readonly environments: readonly Environment[];
  /** `key=value`, each of which a cluster must have. Empty: any cluster. */
  readonly labels: readonly string[];
}

export const NO_GRANTS: Grants = Object.freeze({
  roles: Object.freeze([]),
  environments: Object.freeze([]),
  labels: Object.freeze([]),
});

/** The space of names that is ours among an operator certificate's organizations, however it is written. */
const OURS = /^\s*fluxgate\s*[:=/]/i;
const LABEL = /^label=(?<label>[^=\s]{1,317}=[^=\s]{0,63})$/;

/**
 * The subject's O values → what they grant: `fluxgate:ROLE`, `fluxgate:environment=dev`, `fluxgate:label=KEY=VALUE`.
 * undefined: none of them speaks of roles. Where one does and is not understood, nothing is granted at all: a scope with a
 * slip in it must not become no scope.
 */
export function grantsOfGroups(groups: readonly string[]): Grants | undefined {
  const ours = groups.filter((group) => OURS.test(group));
  if (ours.length === 0) return undefined;
  const roles: Role[] = [];
  const environments: Environment[] = [];
  const labels: string[] = [];
  for (const group of ours) {
    const word = group.startsWith('fluxgate:') ? group.slice('fluxgate:'.length) : '';
    const role = ROLES.find((known) => known === word);
    const environment = ENVIRONMENTS.find((known) => word === `environment=${known}`);
    const label = LABEL.exec(word)?.groups?.['label'];
    if (role !== undefined) roles.push(role);
    else if (environment !== undefined) environments.push(environment);
    else if (label !== undefined) labels.push(label);
    else return NO_GRANTS;
  }
  return Object.freeze({
    roles: Object.freeze(roles),
    environments: Object.freeze(environments),
    labels: Object.freeze(labels),
  });
}

export function isScoped({ environments, labels }: Grants): boolean {
  return environments.length > 0 || labels.length > 0;
}
