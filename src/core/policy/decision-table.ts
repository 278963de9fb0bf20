import { parse } from 'yaml';
import { StartupError } from '../errors.ts';
import { ENVIRONMENTS, type Environment, type FleetKind } from '../fleet/objects.ts';
import { FLEET_KINDS } from '../fleet/registry.ts';
import { isTokenPrincipal, NO_CERTIFICATE, type Principal } from '../identity/principal.ts';
import { TOKEN_KINDS } from '../identity/token-text.ts';
import { parseDateTime } from '../rfc3339.ts';
import type { PolicyEngine } from './decide.ts';
import { momentOf, type Place, type PolicyContext, type PolicyResource, resourceOf } from './entities.ts';
import type { Operation, OperationTable } from './operations.ts';
import { type Grants, ROLES } from './roles.ts';
import { Fields } from './table-fields.ts';

/**
 * Decision tables: who may do what, written down beside the policies as YAML and held against them. A decision names operations,
 * what they are asked of, and who is permitted; everybody else of the table's principals must be refused, so that a policy
 * that permits too much is found as well as one that permits too little.
 */
export interface DecisionTable {
  readonly file: string;
  readonly principals: ReadonlyMap<string, Principal>;
  readonly decisions: readonly TabledDecision[];
}

interface TabledDecision {
  readonly operations: readonly Operation[];
  readonly on: On;
  readonly from: 'operators' | 'elsewhere';
  readonly source: string;
  /** The name of the network; empty outside of OPERATOR_NETWORKS. */
  readonly network: string;
  /** RFC 3339: the hour and the weekday that policies see. */
  readonly at: number;
  /** Allow-Suspected-Secrets */
  readonly allowsSecrets: boolean;
  /** Names of principals. */
  readonly permit: ReadonlySet<string>;
}

/** What is asked for, as far as the operation does not say. */
interface On {
  readonly dns: string;
  readonly id: string;
  readonly ratcheted: boolean;
  readonly revoked: boolean;
  readonly place: Place;
  /** Of a decision on an object that is to be written. */
  readonly object: FleetKind | undefined;
  /** Of a decision on a token that is to be made. */
  readonly token: { readonly kind: (typeof TOKEN_KINDS)[number]; readonly grants: Grants } | undefined;
  /** The plan of a write, or one that waits for a second person. */
  readonly plan:
    | {
        readonly environments: readonly Environment[];
        readonly takesAway: boolean;
        readonly approved: boolean;
      }
    | undefined;
}

export interface TableOutcome {
  /** How many decisions were taken. */
  readonly taken: number;
  /** One line for each that is not as the table has it. */
  readonly wrong: readonly string[];
  /** Ids of the operations that the table speaks of. */
  readonly operations: ReadonlySet<string>;
}

export function runTable(table: DecisionTable, engine: PolicyEngine): TableOutcome {
  const wrong: string[] = [];
  const operations = new Set<string>();
  let taken = 0;
  for (const [index, { operations: asked, on, permit, ...where }] of table.decisions.entries()) {
    for (const operation of asked) {
      operations.add(operation.operationId);
      for (const [name, principal] of table.principals) {
        const decision = engine.decide({
          principal,
          operationId: operation.operationId,
          resource: resourceFor(operation, on),
          context: contextFor(principal, where),
        });
        taken++;
        if (decision.allowed === permit.has(name)) continue;
        const should = permit.has(name) ? 'should be permitted' : 'should be refused';
        const by = decision.policies.join(', ') || decision.reason;
        wrong.push(
          `${table.file}: decision ${index + 1}: ${name}: ${operation.operationId}: ${should}, and is not (${by})`,
        );
      }
    }
  }
  return { taken, wrong, operations };
}

function resourceFor(operation: Operation, on: On): PolicyResource {
  const { dns, id, place, token, object, plan } = on;
  if (plan !== undefined) return { kind: 'plan', ...plan };
  if (token !== undefined) {
    const { kind: tokenKind, grants } = token;
    return { kind: 'token', tokenKind, clusterDns: tokenKind === 'cluster' ? dns : undefined, grants };
  }
  if (object !== undefined) return { kind: 'object', objectKind: object, id, place };
  const { ratcheted, revoked } = on;
  return resourceOf(operation, { clusterDns: dns, id, ratcheted, revoked, place });
}

function contextFor(
  principal: Principal,
  { from, source, network, at, allowsSecrets }: Omit<TabledDecision, 'operations' | 'on' | 'permit'>,
): PolicyContext {
  const credential =
    principal.kind === 'anonymous' ? 'none' : isTokenPrincipal(principal) ? 'token' : 'certificate';
  return {
    source,
    operatorNetwork: from === 'operators',
    network,
    moment: momentOf(at),
    credential,
    allowsSecrets,
  };
}

/** Throws StartupError naming the file and what in it is not as a table should be. */
export function readDecisionTable(file: string, text: string, operations: OperationTable): DecisionTable {
  try {
    const document = new Fields(parse(text), 'the table');
    const principals = document.map('principals', readPrincipal);
    const decisions = document.list('decisions', (item, where) =>
      readDecision(item, where, operations, principals),
    );
    document.end();
    return { file, principals, decisions };
  } catch (error) {
    throw new StartupError(`${file}: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

const KINDS = [
  'anonymous',
  'reader',
  'writer',
  'cluster',
  'cluster_token',
  'operator',
  'operator_token',
  'workload',
] as const;

function readPrincipal(value: unknown, where: string): Principal {
  const fields = new Fields(value, where);
  const kind = fields.oneOf('kind', KINDS);
  const principal = ((): Principal => {
    switch (kind) {
      case 'anonymous':
        return { kind };
      case 'reader':
      case 'writer':
        return { kind, tokenId: 'table' };
      case 'cluster':
        return { kind, dns: fields.text('dns'), certificate: NO_CERTIFICATE };
      case 'cluster_token':
        return { kind, dns: fields.text('dns'), tokenId: 'table' };
      case 'operator':
        return {
          kind,
          name: fields.text('name', 'operator@example.com'),
          groups: fields.texts('groups'),
          certificate: NO_CERTIFICATE,
        };
      case 'operator_token':
        return {
          kind,
          name: fields.text('name', 'table'),
          tokenId: 'table',
          grants: readGrants(fields),
          expiresMs: 0,
        };
      case 'workload':
        return {
          kind,
          issuer: fields.text('issuer', 'https://issuer.example.com'),
          subject: fields.text('subject', 'table'),
          claims: fields.texts('claims'),
        };
    }
  })();
  fields.end();
  return principal;
}

function readGrants(fields: Fields): Grants {
  return {
    roles: fields.someOf('roles', ROLES),
    environments: fields.someOf('environments', ENVIRONMENTS),
    labels: fields.texts('labels'),
  };
}

const NOON_OF_A_MONDAY = '2026-01-05T12:00:00Z';

function readDecision(
  value: unknown,
  where: string,
  known: OperationTable,
  principals: ReadonlyMap<string, Principal>,
): TabledDecision {
  const fields = new Fields(value, where);
  const operations = fields.texts('operations').map((id) => {
    const operation = known.get(id);
    if (operation === undefined) throw new Error(`${where}: ${id} is no operation of openapi.yaml`);
    return operation;
  });
  if (operations.length === 0) throw new Error(`${where}: names no operations`);
  const permit = fields.texts('permit');
  const stranger = permit.find((name) => !principals.has(name));
  if (stranger !== undefined) throw new Error(`${where}: permits "${stranger}", who is not in principals`);
  const from = fields.oneOf('from', ['operators', 'elsewhere'] as const, 'operators');
  const source = fields.text('source', '192.0.2.1');
  const network = fields.text('network', from === 'operators' ? 'operators' : '');
  const at = parseDateTime(fields.text('at', NOON_OF_A_MONDAY));
  if (at === undefined) throw new Error(`${where}: at is not a time, such as ${NOON_OF_A_MONDAY}`);
  const allowsSecrets = fields.truth('allows_secrets');
  const on = readOn(fields.take('on') ?? {}, `${where}: on`);
  fields.end();
  return { operations, permit: new Set(permit), from, source, network, at, allowsSecrets, on };
}

function readOn(value: unknown, where: string): On {
  const fields = new Fields(value, where);
  const token = fields.take('token');
  const object = fields.take('object');
  const plan = fields.take('plan');
  const kind = FLEET_KINDS.find((one) => one === object);
  if (object !== undefined && kind === undefined) throw new Error(`${where}: object is no kind of object`);
  const on: On = {
    dns: fields.text('dns', 'cluster.example.com'),
    id: fields.text('id', 'table'),
    ratcheted: fields.truth('ratcheted'),
    revoked: fields.truth('revoked'),
    place: { environment: fields.text('environment', ''), labels: fields.texts('labels') },
    object: kind,
    token: token === undefined ? undefined : readToken(token, `${where}: token`),
    plan: plan === undefined ? undefined : readPlan(plan, `${where}: plan`),
  };
  fields.end();
  return on;
}

function readPlan(value: unknown, where: string): On['plan'] {
  const fields = new Fields(value, where);
  const plan = {
    environments: fields.someOf('environments', ENVIRONMENTS),
    takesAway: fields.truth('takes_away'),
    approved: fields.truth('approved'),
  };
  fields.end();
  return plan;
}

function readToken(value: unknown, where: string): On['token'] {
  const fields = new Fields(value, where);
  const token = { kind: fields.oneOf('kind', TOKEN_KINDS), grants: readGrants(fields) };
  fields.end();
  return token;
}
