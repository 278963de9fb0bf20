import { type Command, Option } from 'commander';

/** How to reach a gateway's operator routes, and how to show what it says. */
export interface ApiOptions {
  readonly url?: string;
  readonly apiUrl?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly tokenFile?: string;
  readonly apiToken?: string;
  readonly writeToken?: string;
  readonly context?: string;
}

export type OutputFormat = 'table' | 'json' | 'yaml' | 'name';

export interface OutputOptions {
  readonly output: OutputFormat;
  /** False for --no-pager. */
  readonly pager?: boolean;
}

const GATEWAY = 'Which gateway, and who asks:';

/** The options of every command that talks to a gateway. */
export function apiOptions(command: Command): Command {
  return command
    .optionsGroup(GATEWAY)
    .option('--context <name>', 'a context of the configuration file (fluxgate context list)')
    .option('--url <url>', 'the gateway; else API_URL, else the context')
    .option('--ca <file>', "the CA of the gateway's certificate; else API_CA_FILE, else the system's")
    .option('--cert <file>', 'an operator certificate; else API_CERT_FILE')
    .option('--key <file>', 'its key; else API_KEY_FILE')
    .option('--token-file <file>', 'a file with a token, - for standard input; else API_TOKEN')
    .addOption(new Option('--api-url <url>').hideHelp())
    .addOption(new Option('--api-token <token>').hideHelp())
    .addOption(new Option('--write-token <token>').hideHelp())
    .optionsGroup('Options:');
}

/** `name` prints kind/id, one a line. */
export function outputOptions(
  command: Command,
  formats: readonly OutputFormat[] = ['table', 'json', 'yaml', 'name'],
): Command {
  return command
    .addOption(new Option('-o, --output <format>', 'how to print').choices([...formats]).default(formats[0]))
    .option('--no-pager', 'print long lists without $PAGER');
}
