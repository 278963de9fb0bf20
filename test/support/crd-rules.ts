import { Ajv } from 'ajv';
import type { Manifest } from './manifests.ts';

/** The rules of the custom resources that matter to what we ship: names, required fields, enumerations and patterns, nothing unknown. */

const text = { type: 'string', minLength: 1 };
const flag = { type: 'boolean' };
const count = { type: 'integer', minimum: 1 };
const duration = { type: 'string', pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$' };
const list = (items: object): object => ({ type: 'array', minItems: 1, items });
const some = (
  properties: Record<string, object>,
  required: readonly string[] = Object.keys(properties),
): object => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});
const named = some({ name: { ...text, maxLength: 253 } });
const maps = { type: 'object', additionalProperties: { type: 'string' } };
const dependency = some(
  { apiVersion: text, kind: text, name: text, namespace: text, ready: flag, readyExpr: text },
  ['apiVersion', 'kind', 'name'],
);
const valuesReference = some({
  kind: { enum: ['Secret', 'ConfigMap'] },
  name: { ...text, maxLength: 253 },
  valuesKey: { type: 'string', maxLength: 253, pattern: '^[-._a-zA-Z0-9]+$' },
  targetPath: { type: 'string', maxLength: 250, pattern: '^([a-zA-Z0-9_\\-.\\\\/]|\\[[0-9]{1,5}\\])+$' },
});
const sourceReference = (...kinds: string[]): object => some({ kind: { enum: kinds }, name: text });
const remediation = some({ remediation: some({ retries: count }), createNamespace: flag }, []);

const SPECS: Readonly<Record<string, object>> = {
  'fluxcd.controlplane.io/v1/ResourceSetInputProvider': some(
    {
      type: { const: 'ExternalService' },
      url: { type: 'string', pattern: '^https://[^ ]+$' },
      certSecretRef: named,
      secretRef: named,
      filter: some({ limit: { type: 'integer', minimum: 1, maximum: 10_000 } }),
    },
    ['type', 'url', 'certSecretRef', 'filter'],
  ),
  'fluxcd.controlplane.io/v1/ResourceSet': some(
    {
      dependsOn: list(dependency),
      inputsFrom: list(some({ apiVersion: text, kind: { const: 'ResourceSetInputProvider' }, name: text })),
      inputs: list({ type: 'object' }),
      resourcesTemplate: text,
      wait: flag,
    },
    ['resourcesTemplate'],
  ),
  'source.toolkit.fluxcd.io/v1/OCIRepository': some(
    {
      interval: duration,
      url: { type: 'string', pattern: '^oci://.*$' },
      ref: some({ tag: text }),
      verify: some({
        provider: { enum: ['cosign', 'notation'] },
        matchOIDCIdentity: list(some({ issuer: text, subject: text })),
      }),
    },
    ['interval', 'url', 'ref'],
  ),
  'source.toolkit.fluxcd.io/v1/HelmRepository': some({
    interval: duration,
    url: { type: 'string', pattern: '^(http|https|oci)://.*$' },
  }),
  'kustomize.toolkit.fluxcd.io/v1/Kustomization': some(
    {
      interval: duration,
      retryInterval: duration,
      timeout: duration,
      prune: flag,
      wait: flag,
      path: { type: 'string', pattern: '^\\./' },
      sourceRef: sourceReference('OCIRepository'),
      patches: list(some({ target: some({ group: text, kind: text }), patch: text })),
    },
    ['interval', 'prune', 'sourceRef', 'path'],
  ),
  'helm.toolkit.fluxcd.io/v2/HelmRelease': some(
    {
      interval: duration,
      releaseName: { type: 'string', minLength: 1, maxLength: 53 },
      targetNamespace: { type: 'string', minLength: 1, maxLength: 63 },
      install: remediation,
      upgrade: remediation,
      chart: some({
        spec: some(
          {
            chart: { type: 'string', minLength: 1, maxLength: 2048 },
            version: text,
            valuesFiles: list(text),
            ignoreMissingValuesFiles: flag,
            sourceRef: sourceReference('HelmRepository'),
          },
          ['chart', 'sourceRef'],
        ),
      }),
      valuesFrom: list(valuesReference),
    },
    ['interval', 'chart'],
  ),
  'notification.toolkit.fluxcd.io/v1beta3/Provider': some(
    {
      type: { const: 'generic' },
      address: { type: 'string', maxLength: 2048, pattern: '^https://' },
      certSecretRef: named,
      secretRef: named,
    },
    ['type', 'address', 'certSecretRef'],
  ),
  'notification.toolkit.fluxcd.io/v1beta3/Alert': some({
    providerRef: named,
    eventSeverity: { enum: ['info', 'error'] },
    eventSources: list(
      some({
        kind: { enum: ['OCIRepository', 'HelmRepository', 'Kustomization', 'HelmRelease', 'HelmChart'] },
        name: text,
        namespace: text,
        matchLabels: maps,
      }),
    ),
  }),
  'cert-manager.io/v1/Certificate': some(
    {
      secretName: text,
      commonName: { type: 'string', maxLength: 64 },
      isCA: flag,
      duration,
      renewBefore: duration,
      dnsNames: list(text),
      privateKey: some({
        algorithm: { const: 'ECDSA' },
        size: { enum: [256, 384] },
        encoding: { const: 'PKCS8' },
        rotationPolicy: { enum: ['Always', 'Never'] },
      }),
      usages: list({ enum: ['digital signature', 'client auth', 'server auth', 'cert sign', 'crl sign'] }),
      issuerRef: some({ group: text, kind: text, name: text }),
    },
    ['secretName', 'issuerRef', 'privateKey', 'usages', 'duration', 'renewBefore'],
  ),
  'cert-manager.io/v1/Issuer': some({ selfSigned: some({}), ca: some({ secretName: text }) }, []),
  'external-secrets.io/v1/ExternalSecret': some({
    refreshInterval: duration,
    secretStoreRef: some({ kind: { enum: ['SecretStore', 'ClusterSecretStore'] }, name: text }),
    target: some({
      name: text,
      creationPolicy: { const: 'Owner' },
      template: some({ engineVersion: { const: 'v2' }, data: maps }),
    }),
    data: list(some({ secretKey: text, remoteRef: some({ key: text, property: text }) })),
  }),
  'kyverno.io/v1/ClusterPolicy': some({
    background: flag,
    rules: list(
      some(
        {
          name: { type: 'string', maxLength: 63 },
          match: { type: 'object' },
          context: { type: 'array' },
          preconditions: { type: 'object' },
          validate: some(
            {
              failureAction: { const: 'Enforce' },
              message: text,
              pattern: { type: 'object' },
              deny: { type: 'object' },
            },
            ['failureAction', 'message'],
          ),
        },
        ['name', 'match', 'validate'],
      ),
    ),
  }),
  'monitoring.coreos.com/v1/ServiceMonitor': some({
    selector: { type: 'object' },
    endpoints: list(
      some({ port: text, path: { const: '/metrics' }, scheme: { const: 'http' }, interval: duration }),
    ),
  }),
};

const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** Flux makes labels of these kinds' names, and a label is no longer. */
const LABELLED = ['ResourceSet', 'Kustomization', 'HelmRelease'];
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?$/;
const KNOWN = ['ConfigMap', 'Secret', 'Namespace', 'NetworkPolicy', 'ClusterRoleBinding'];

const ajv = new Ajv({ strict: false, allErrors: true });

/** What the API server would refuse, one line each. */
export function refusals(object: Manifest): readonly string[] {
  const { apiVersion, kind, metadata, spec } = object;
  const where = `${kind} ${metadata.name}`;
  const problems: string[] = [];
  const say = (problem: string): void => void problems.push(`${where}: ${problem}`);
  if (kind !== 'ClusterRoleBinding' && (!DNS_SUBDOMAIN.test(metadata.name) || metadata.name.length > 253))
    say('name');
  if (LABELLED.includes(kind) && metadata.name.length > 63) say('a name that is no label');
  for (const value of Object.values(metadata.labels ?? {}))
    if (!LABEL_VALUE.test(value)) say(`label ${value}`);
  for (const value of Object.values(metadata.annotations ?? {}))
    if (typeof value !== 'string') say(`annotation ${String(value)}`);
  for (const value of Object.values((object['data'] as object | undefined) ?? {}))
    if (typeof value !== 'string') say(`data ${String(value)}`);
  const schema = SPECS[`${apiVersion}/${kind}`];
  if (schema === undefined && !KNOWN.includes(kind)) say(`unknown ${apiVersion}`);
  if (schema !== undefined && !ajv.validate(schema, spec)) {
    for (const { instancePath, message, params } of ajv.errors ?? [])
      say(`${instancePath} ${message} ${JSON.stringify(params)}`);
  }
  return problems;
}
