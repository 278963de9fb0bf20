import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Answer } from '../respond.ts';

/** The page's own files, read once at start. Named after their content, so that a browser keeps each for good. */
export interface Assets {
  /** Under /ui/assets/. */
  readonly names: { readonly style: string; readonly script: string; readonly icon: string };
  get(name: string): Answer | undefined;
}

const FILES = [
  ['style', 'page.css', 'text/css; charset=utf-8'],
  ['script', 'page.js', 'text/javascript; charset=utf-8'],
  ['icon', 'icon.svg', 'image/svg+xml'],
] as const;

const FOR_A_YEAR = 'public, max-age=31536000, immutable';

let loaded: Promise<Assets> | undefined;

/** They are part of the program. */
export function loadAssets(): Promise<Assets> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Assets> {
  const byName = new Map<string, Answer>();
  const names: Record<string, string> = {};
  for (const [use, file, contentType] of FILES) {
    const body = await readFile(new URL(`assets/${file}`, import.meta.url));
    const hash = createHash('sha256').update(body).digest('hex').slice(0, 16);
    const name = file.replace('.', `-${hash}.`);
    names[use] = name;
    byName.set(name, {
      status: 200,
      body,
      contentType,
      headers: { 'Cache-Control': FOR_A_YEAR, 'Cross-Origin-Resource-Policy': 'same-origin' },
    });
  }
  return Object.freeze({ names: names as Assets['names'], get: (name: string) => byName.get(name) });
}
