import { readFile, writeFile } from 'node:fs/promises';
import { CHECKED_PATH } from '../src/shell/checked.ts';
import { checkedNow } from './check-shipped.ts';

/** `npm run checked`: writes what src/shell/checked.ts is about. */
const written = `${JSON.stringify(await checkedNow())}\n`;
const before = await readFile(CHECKED_PATH, 'utf8').catch(() => '');
if (before !== written) await writeFile(CHECKED_PATH, written);
