import type { ApiOptions, OutputOptions } from '../api/options.ts';
import { answered } from '../api/pages.ts';
import { segment } from '../api/path.ts';
import { openSession } from '../api/session.ts';
import type { TerminalContext } from '../context.ts';
import { printDocument } from '../output/rows.ts';

/** A route as Flux polls it. */
export async function fluxInputs(
  context: TerminalContext,
  dns: string,
  route: string,
  options: ApiOptions & OutputOptions,
): Promise<void> {
  const { send } = await openSession(context, options);
  const path = `/api/v2/flux/clusters/${segment(dns)}/${route}`;
  const { body } = await answered(send, { path });
  await printDocument(context, options, body);
}
