import { type Bulk, bulkChanges } from '../../../core/fleet/bulk.ts';
import {
  type DirectoryFiles,
  fileOf,
  type KeepsBeside,
  MARKER,
  markerText,
  readDirectory,
} from '../../../core/fleet/directory.ts';
import { changesToImport, type ImportMode } from '../../../core/fleet/import.ts';
import { listAll } from '../../../core/fleet/pause.ts';
import { FLEET_KINDS } from '../../../core/fleet/registry.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import { createPause } from '../../pause.ts';
import type { Answer } from '../respond.ts';
import type { Handler, HandlerParts } from './handlers.ts';
import { recordedChangeSet } from './recorded.ts';
import { tellingProgress } from './write-progress.ts';

/** Many objects at once: bulk changes, the fleet as a directory, and back. */
export function fleetSetHandler(operation: Operation, parts: HandlerParts): Handler | undefined {
  const { schemas, store } = parts;
  switch (operation.operationId) {
    case 'bulkChange':
      return async (call) =>
        tellingProgress(call, parts, (tell) =>
          recordedChangeSet(call, parts, 'bulk', tell, (tx, pause) =>
            bulkChanges(call.body as Bulk, schemas, tx, pause, tell),
          ),
        );
    case 'exportFleet':
      return () => exported(parts);
    case 'importFleet':
      return async (call) =>
        tellingProgress(call, parts, async (tell) => {
          const { mode, files } = call.body as { mode: ImportMode; files: DirectoryFiles };
          const keepsBeside: KeepsBeside = async (kind, id) =>
            mode === 'merge' && (await store.reader.get(kind, id)) !== undefined;
          const directory = await readDirectory(files, schemas, createPause(), keepsBeside, tell);
          return recordedChangeSet(call, parts, 'import', tell, (tx, pause) =>
            changesToImport(directory, mode, tx, pause, tell),
          );
        });
    default:
      return undefined;
  }
}

/** Fleet and revision of one moment: whoever edits them later is compared with exactly this. */
async function exported({ store }: HandlerParts): Promise<Answer> {
  const pause = createPause();
  for (;;) {
    const { newest } = await store.history.range();
    const files: Record<string, string> = {};
    for (const kind of FLEET_KINDS) {
      for (const object of await listAll(kind, store.reader, pause)) {
        const { path, text } = fileOf(kind, object);
        files[path] = text;
        await pause();
      }
    }
    if ((await store.history.range()).newest !== newest) continue;
    return { status: 200, body: { revision: newest, files: { [MARKER]: markerText(newest), ...files } } };
  }
}
