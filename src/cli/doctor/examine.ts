import { CommandFailed, type TerminalContext } from '../context.ts';
import type { DoctorOptions } from '../doctor.ts';
import { jsonText } from '../output/documents.ts';
import { createPaint } from '../output/paint.ts';
import { counted, shown } from '../output/text.ts';
import type { Finding } from './finding.ts';
import { examineGateway } from './gateway.ts';
import { examineWay, saysWhichGateway } from './way.ts';

const SIGNS = Object.freeze({ ok: '✓', note: '!', wrong: '✗' });
const STYLES = Object.freeze({ ok: 'green', note: 'yellow', wrong: 'red' } as const);

/** Looks at all of it before it says no. Throws CommandFailed where something is wrong. */
export async function examine(context: TerminalContext, options: DoctorOptions): Promise<void> {
  const { environment } = context;
  const serves = environment['CLUSTER_CA_FILE'] !== undefined || environment['TLS_CERT_FILE'] !== undefined;
  const asks = await saysWhichGateway(context, options);
  const server = options.server === true || (options.client !== true && serves);
  const client = options.client === true || (options.server !== true && asks);
  if (!server && !client) {
    throw new CommandFailed(
      'there is nothing to look at: set the variables of serve (docs/configuration.md), or say which gateway (--url, or fluxgate context set)',
    );
  }
  const findings = [
    ...(server ? await examineGateway(environment) : []),
    ...(client ? await examineWay(context, options) : []),
  ];
  if (options.output === 'json') context.print(jsonText(findings));
  else print(context, findings);
  const bad = findings.filter(({ verdict }) => verdict === 'wrong').length;
  if (bad > 0) throw new CommandFailed(`${counted(bad, 'thing')} ${bad === 1 ? 'is' : 'are'} wrong`);
}

function print(context: TerminalContext, findings: readonly Finding[]): void {
  const paint = createPaint(context.terminal.output);
  for (const { verdict, what, next } of findings) {
    context.print(paint(STYLES[verdict], shown(`${SIGNS[verdict]} ${what}`)));
    if (next !== undefined) context.print(shown(`    → ${next}`));
  }
}
