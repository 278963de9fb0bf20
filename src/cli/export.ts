import type { DirectoryFiles } from '../core/fleet/directory.ts';
import { type ApiOptions, createApiClient, refusalOf } from './api-client.ts';
import type { CommandContext } from './context.ts';
import { writeFleetFiles } from './fleet-directory.ts';

/** The fleet of a running gateway, as a directory that can live in Git. */
export async function exportFleet(
  context: CommandContext,
  options: ApiOptions & { readonly dir: string },
): Promise<void> {
  const send = await createApiClient(context, options);
  const answer = await send({ method: 'GET', path: '/export' });
  if (answer.status !== 200) throw refusalOf(answer);
  const { revision, files } = answer.body as { revision: number; files: DirectoryFiles };
  await writeFleetFiles(options.dir, files);
  context.print(`exported revision ${revision} to ${options.dir}: ${Object.keys(files).length - 1} objects`);
}
