import type { ErrorDetail } from '../errors.ts';

/**
 * Where a component's artefacts come from, as Flux's source-controller reads it. The schema has let in scheme, characters and
 * length; what it cannot say is here.
 */

const isOci = (url: string): boolean => url.startsWith('oci://');

const PORT_MAX = 65_535;
const HOST_LABEL = /^[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
/** A repository's name: registries know lower case only (OCI distribution specification, "Pulling manifests"). */
const OCI_PATH_SEGMENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
/** The same specification's tag. Versions of charts in HTTPS repositories may have a "+", too. */
const OCI_TAG = /^\w[\w.-]{0,127}$/;

export function urlProblems(url: string): ErrorDetail[] {
  const problem = urlProblem(url);
  return problem === undefined ? [] : [{ field: '/oci_url', problem }];
}

function urlProblem(url: string): string | undefined {
  const [, authority = '', path = ''] = /^[a-z]+:\/\/([^/]*)(.*)$/.exec(url) ?? [];
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority) ?? [];
  if (!host.startsWith('[') && !host.split('.').every((label) => HOST_LABEL.test(label))) {
    return 'must name a host: labels of letters, digits and inner hyphens';
  }
  if (port !== undefined && (Number(port) === 0 || Number(port) > PORT_MAX)) {
    return `must have a port of 1 to ${PORT_MAX}, or none`;
  }
  const segments = path.split('/').slice(1);
  if (segments.some((segment) => segment === '.' || segment === '..'))
    return 'must have no "." or ".." segment';
  if (!isOci(url)) return undefined;
  if (/[@:]/.test(path)) return 'must have no tag and no digest: Flux takes the tag from oci_tag';
  // A slash at the end is harmless.
  const named = segments.at(-1) === '' ? segments.slice(0, -1) : segments;
  if (named.every((segment) => OCI_PATH_SEGMENT.test(segment))) return undefined;
  return 'must name a repository as registries do: lower-case letters and digits, with ".", "_" and "-" between them';
}

/** What is wrong with `tag` for an artefact of this URL, whoever says it, the catalogue or one cluster. */
export function tagProblem(url: string, tag: string): string | undefined {
  if (!isOci(url) || OCI_TAG.test(tag)) return undefined;
  return 'must be an OCI tag, because oci_url is one: letters, digits, "_", "." and "-" (Helm writes "_" for "+")';
}
