/**
 * The templates of the shipped ResourceSets: Go's text/template between `<<` and `>>`, with slim-sprig's functions. Each is the same
 * for every cluster; no value of the fleet is ever part of a template. In them a value stands as `toJson` makes it, which is a YAML
 * scalar, list or map on one line whatever it holds, so that none becomes structure.
 */

/** Not pruned: with a Namespace goes all that is in it, and it is back empty when the answer was wrong. */
export const NAMESPACES_TEMPLATE = `---
apiVersion: v1
kind: Namespace
metadata:
  name: << inputs.id | toJson >>
  labels: << inputs.labels | toJson >>
  <<- $annotations := set inputs.annotations "fluxcd.controlplane.io/prune" "disabled" >>
  annotations: << set $annotations "fluxcd.controlplane.io/reconcile" "enabled" | toJson >>
`;

/** A name of its own: a role binding called "cluster-admin" must not become the cluster's own of that name. */
export const ROLEBINDINGS_TEMPLATE = `---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: << printf "fleet-%s" inputs.id | toJson >>
  annotations:
    # A ClusterRoleBinding's role cannot be changed: it is made anew.
    fluxcd.controlplane.io/force: enabled
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: << inputs.role | toJson >>
subjects: << inputs.subjects | toJson >>
`;

/** Labels are at most 63 characters long, and Flux makes one of the name. */
const nameOf = (name: string, id: string): string =>
  `<<- $${name} := gt (len ${id}) 53 | ternary (printf "component-%.44s-%.8s" ${id} (sha256sum ${id})) (printf "component-%s" ${id}) >>`;

/** Of everything that tells the gateway what became of it. */
const METADATA = `metadata:
  name: << $name | toJson >>
  namespace: flux-system
  labels:
    app.kubernetes.io/part-of: fluxgate
  annotations:
    event.toolkit.fluxcd.io/component: << inputs.id | toJson >>`;

/**
 * One component's objects. Patches become Helm values: of the chart, or of the HelmReleases in the artefact. Helm's parser takes "\\",
 * "," and a "{" at the beginning for its own; behind a backslash they are text again.
 */
const COMPONENT_TEMPLATE = String.raw`${nameOf('name', 'inputs.id')}
<<- $data := dict >>
<<- $values := list >>
<<- range $key, $value := inputs.patches >>
<<- $text := $value | replace "\\" "\\\\" | replace "," "\\," >>
<<- if hasPrefix "{" $value >><<- $text = printf "\\%s" $text >><<- end >>
<<- $data = set $data $key $text >>
<<- $values = append $values (dict "kind" "ConfigMap" "name" $name "valuesKey" $key "targetPath" $key) >>
<<- end >>
<<- if hasKey inputs "secret_refs" >>
<<- range $key, $ref := inputs.secret_refs >>
<<- $values = append $values (dict "kind" "Secret" "name" $ref.name "valuesKey" $ref.key "targetPath" $key) >>
<<- end >>
<<- end >>
<<- if $data >>
---
apiVersion: v1
kind: ConfigMap
${METADATA}
data: << $data | toJson >>
<<- end >>
<<- if hasPrefix "oci://" inputs.source.oci_url >>
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
${METADATA}
spec:
  interval: 10m
  url: << inputs.source.oci_url | trimSuffix "/" | toJson >>
  ref:
    tag: << inputs.source.oci_tag | toJson >>
  <<- if hasKey inputs "verify" >>
  verify:
    provider: << inputs.verify.provider | toJson >>
    matchOIDCIdentity:
      <<- range $signer := inputs.verify.match_oidc_identity >>
      - issuer: << $signer.issuer | toJson >>
        subject: << $signer.subject | toJson >>
      <<- end >>
  <<- end >>
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
${METADATA}
spec:
  interval: 10m
  retryInterval: 2m
  timeout: 5m
  prune: true
  wait: true
  sourceRef:
    kind: OCIRepository
    name: << $name | toJson >>
  <<- if inputs.cluster_env_enabled >>
  path: << printf "./%s/%s" (inputs.component_path | trimSuffix "/") inputs.cluster.environment | toJson >>
  <<- else >>
  path: << printf "./%s" inputs.component_path | toJson >>
  <<- end >>
  <<- if $values >>
  patches:
    - target:
        group: helm.toolkit.fluxcd.io
        kind: HelmRelease
      patch: << list (dict "op" "add" "path" "/spec/valuesFrom" "value" $values) | toJson | toJson >>
  <<- end >>
<<- else >>
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
${METADATA}
spec:
  interval: 30m
  url: << inputs.source.oci_url | toJson >>
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
${METADATA}
spec:
  interval: 10m
  <<- if le (len inputs.id) 53 >>
  releaseName: << inputs.id | toJson >>
  <<- end >>
  targetNamespace: << inputs.id | toJson >>
  install:
    createNamespace: true
    remediation:
      retries: 3
  upgrade:
    remediation:
      retries: 3
  chart:
    spec:
      chart: << inputs.component_path | trimSuffix "/" | base | toJson >>
      <<- if ne inputs.source.oci_tag "latest" >>
      version: << inputs.source.oci_tag | toJson >>
      <<- end >>
      <<- if inputs.cluster_env_enabled >>
      valuesFiles: << list "values.yaml" (printf "values-%s.yaml" inputs.cluster.environment) | toJson >>
      ignoreMissingValuesFiles: true
      <<- end >>
      sourceRef:
        kind: HelmRepository
        name: << $name | toJson >>
  <<- if $values >>
  valuesFrom: << $values | toJson >>
  <<- end >>
<<- end >>
`;

/**
 * A ResourceSet for each enabled component, which has the input as data and COMPONENT_TEMPLATE as its template. So a component may
 * depend on another whatever each is made of (a HelmRelease can wait for HelmReleases only, a Kustomization for Kustomizations), and
 * one that cannot be made holds up nobody but those who depend on it.
 */
export const COMPONENTS_TEMPLATE = `<<- if inputs.enabled >>
${nameOf('name', 'inputs.id')}
---
apiVersion: fluxcd.controlplane.io/v1
kind: ResourceSet
metadata:
  name: << $name | toJson >>
  namespace: flux-system
  labels:
    app.kubernetes.io/part-of: fluxgate
spec:
  <<- if inputs.depends_on >>
  dependsOn:
    <<- range $id := inputs.depends_on >>
    ${nameOf('other', '$id')}
    - apiVersion: fluxcd.controlplane.io/v1
      kind: ResourceSet
      name: << $other | toJson >>
      namespace: flux-system
      ready: true
    <<- end >>
  <<- end >>
  inputs: << list inputs | toJson >>
  wait: true
  resourcesTemplate: << \`${COMPONENT_TEMPLATE}\` | toJson >>
<<- end >>
`;
