import { type Command, Option } from 'commander';
import { type ApiOptions, apiOptions } from './api/options.ts';
import type { CommandHost } from './context.ts';

/** As the command line gives them; what they may be is known by the command. */
export interface ManifestOptions extends ApiOptions {
  readonly cluster?: string;
  readonly file?: string;
  readonly gateway?: string;
  readonly gatewayCa?: string;
  readonly gatewayNetwork: readonly string[];
  readonly credential: string;
  readonly issuer: string;
  readonly secretStore: string;
  readonly secretKey?: string;
  readonly without: readonly string[];
}

/** Kept apart from the command, which is loaded when it runs. */
export function registerManifests(command: Command, { context }: CommandHost): void {
  apiOptions(command)
    .option('--cluster <id>', 'the cluster, as the gateway knows it')
    .option('--file <file>', 'its document (YAML or JSON) instead of a running gateway')
    .option('--gateway <url>', 'how clusters reach the gateway; --url when absent')
    .addOption(
      new Option('--credential <kind>', 'how the cluster shows who it is')
        .choices(['certificate', 'token', 'external-secret'])
        .default('certificate'),
    )
    .option(
      '--issuer <reference>',
      "what signs the cluster's certificate: [GROUP/]KIND/NAME",
      'ClusterIssuer/fluxgate-cluster',
    )
    .option('--gateway-ca <file>', "certificates that the gateway's chain ends in; with a token only")
    .option(
      '--gateway-network <cidr...>',
      'where the gateway is, for the egress policies; anywhere when absent',
      [],
    )
    .option('--secret-store <reference>', "External Secrets' store: KIND/NAME", 'ClusterSecretStore/fluxgate')
    .option('--secret-key <key>', 'where in it the token is; fluxgate/ID when absent')
    .addOption(
      new Option('--without <part...>', 'leave out what the cluster has no use for')
        .choices(['kyverno', 'network-policies', 'notifications'])
        .default([]),
    )
    .action(async (options: ManifestOptions) => (await import('./manifests.ts')).manifests(context, options));
}
