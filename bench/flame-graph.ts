/** A V8 CPU profile as a flame graph: an SVG that needs nothing, on light and dark backgrounds. */

/** As `--cpu-prof` writes it. Times are microseconds of the system's monotonic clock. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  /** Node ids, and the time since the sample before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

export interface FlameOptions {
  /** What was sampled outside of these moments is left out. */
  readonly from: number;
  readonly until: number;
  readonly title: string;
}

interface Frame {
  readonly name: string;
  readonly origin: Origin;
  /** Microseconds, with all that it called. */
  total: number;
  readonly callees: Map<string, Frame>;
}

type Origin = 'ours' | 'library' | 'node' | 'native';

const WIDTH = 1_200;
const ROW = 18;
const TOP = 64;
/** Narrower ones cannot be seen. */
const NARROWEST = 1.5;
const CHARACTER = 6.6;

export function flameGraph(profile: CpuProfile, { from, until, title }: FlameOptions): string {
  const root = merge(profile, from, until);
  const boxes: string[] = [];
  const depth = draw(root, 0, 0, WIDTH / root.total, root.total, boxes);
  const height = TOP + (depth + 1) * ROW + 8;
  const y = (row: number): number => height - 8 - (row + 1) * ROW;
  const body = boxes.join('\n').replace(/ROW(\d+)/g, (_, row) => String(y(Number(row))));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title told">
<title id="title">${escaped(title)}</title>
<desc id="told">${escaped(inWords(root))}</desc>
<style>
svg{font:11px ui-monospace,Menlo,Consolas,monospace;background:#fff}text{fill:#1b1f24}.head{font-size:14px}
rect{stroke:#fff;stroke-width:.5}.ours{fill:#f2a65a}.library{fill:#c9b6e4}.node{fill:#a9cbe8}.native{fill:#c9ced4}
@media (prefers-color-scheme: dark){svg{background:#0d1117}.head,.key{fill:#e6edf3}rect{stroke:#0d1117}}
</style>
<text class="head" x="6" y="20">${escaped(title)}</text>
${legend()}
${body}
</svg>
`;
}

function merge({ nodes, startTime, samples, timeDeltas }: CpuProfile, from: number, until: number): Frame {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const root: Frame = { name: 'all', origin: 'native', total: 0, callees: new Map() };
  let now = startTime;
  for (const [index, id] of samples.entries()) {
    now += timeDeltas[index] ?? 0;
    const took = timeDeltas[index + 1] ?? 0;
    if (now < from || now > until || took <= 0) continue;
    const stack: ProfileNode[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const node = byId.get(at);
      if (node !== undefined) stack.unshift(node);
    }
    if (stack.at(-1)?.callFrame.functionName === '(idle)') continue;
    root.total += took;
    let frame = root;
    for (const node of stack.slice(1)) frame = enter(frame, node, took);
  }
  return root;
}

function enter(caller: Frame, { callFrame }: ProfileNode, took: number): Frame {
  const { name, origin } = describe(callFrame);
  let frame = caller.callees.get(name);
  if (frame === undefined) {
    frame = { name, origin, total: 0, callees: new Map() };
    caller.callees.set(name, frame);
  }
  frame.total += took;
  return frame;
}

const OUTSIDE = 'the runtime itself';

function describe({ functionName, url, lineNumber }: ProfileNode['callFrame']): {
  name: string;
  origin: Origin;
} {
  if (functionName === '(program)') return { name: OUTSIDE, origin: 'native' };
  if (url === '') return { name: functionName || '(native)', origin: 'native' };
  const file = url.replace(/^.*[/:]/, '');
  const called = functionName || `${file}:${lineNumber + 1}`;
  if (url.startsWith('node:')) return { name: `${called} ${url}`, origin: 'node' };
  const [, library] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (library !== undefined) return { name: `${called} ${library}`, origin: 'library' };
  return { name: `${called} ${url.replace(/^.*\/src\//, '')}`, origin: 'ours' };
}

/** Callees above their caller, the widest first. Returns the deepest row that was drawn. */
function draw(frame: Frame, row: number, x: number, scale: number, all: number, boxes: string[]): number {
  const width = frame.total * scale;
  boxes.push(box(frame, row, x, width, all));
  let deepest = row;
  let at = x;
  for (const callee of [...frame.callees.values()].sort((a, b) => b.total - a.total)) {
    const wide = callee.total * scale;
    if (wide < NARROWEST) break;
    deepest = Math.max(deepest, draw(callee, row + 1, at, scale, all, boxes));
    at += wide;
  }
  return deepest;
}

function box({ name, origin, total }: Frame, row: number, x: number, width: number, all: number): string {
  const letters = Math.floor((width - 6) / CHARACTER);
  const shown = name.length <= letters ? name : `${name.slice(0, Math.max(0, letters - 1))}…`;
  const text =
    letters < 3 ? '' : `<text x="${(x + 3).toFixed(1)}" y="ROW${row}" dy="13">${escaped(shown)}</text>`;
  const told = `${name}: ${((total / all) * 100).toFixed(1)} %`;
  return `<g><title>${escaped(told)}</title><rect class="${origin}" x="${x.toFixed(1)}" y="ROW${row}" width="${width.toFixed(1)}" height="${ROW}"/>${text}</g>`;
}

/** What the picture says of its lowest row: where the stacks begin. */
function inWords({ callees, total }: Frame): string {
  const widest = [...callees.values()].sort((a, b) => b.total - a.total).slice(0, 8);
  const shares = widest.map((one) => `${one.name} ${((one.total / total) * 100).toFixed(0)} %`);
  return `Of all time in JavaScript and what it calls: ${shares.join(', ')}.`;
}

function legend(): string {
  const keys: readonly (readonly [Origin, string])[] = [
    ['ours', 'Fluxgate'],
    ['library', 'its libraries'],
    ['node', "Node's own JavaScript"],
    ['native', 'native, called by these'],
  ];
  return keys
    .map(
      ([origin, name], n) =>
        `<rect class="${origin}" x="${6 + n * 200}" y="34" width="12" height="12"/><text class="key" x="${24 + n * 200}" y="44">${name}</text>`,
    )
    .join('');
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
