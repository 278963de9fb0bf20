import { type Cell, type Figure, shown, spreadOf } from './figures.ts';
import type { Machine } from './machine.ts';

/** CPU of a poll as bars, with the spread of their rounds: pure, SVG, in the reader's light or dark. */

interface Bar {
  readonly label: string;
  readonly kind: 'own' | 'other';
  readonly cell: Cell;
}

const WIDTH = 760;
const LEFT = 210;
const RIGHT = 70;
const TOP = 64;
const ROW = 34;
const BAR = 20;
const BELOW = 46;

export function chart(figures: readonly Figure[], machine: Machine): string {
  const bars = barsOf(figures);
  const most = Math.max(...bars.flatMap(({ cell }) => ('missing' in cell ? [] : cell.values)), 0.001);
  const scale = (value: number): number => (value / most) * (WIDTH - LEFT - RIGHT);
  const height = TOP + bars.length * ROW + BELOW;
  const title = 'Server CPU of one poll: a fresh mutual TLS handshake, one GET, close';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title" font-family="ui-sans-serif, system-ui, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif" font-size="14">
  <title id="title">${title}. ${bars.map(({ label, cell }) => escaped(`${label}: ${told(cell)}`)).join('; ')}</title>
  <style>
    .paper { fill: #ffffff; stroke: #d0d7de } .text { fill: #1f2328 } .soft { fill: #59636e; font-size: 12px } .head { fill: #1f2328; font-weight: 600 }
    .own { fill: #2f6bc4 } .other { fill: #8c959f } .spread { stroke: #1f2328; stroke-width: 1.5 }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #0d1117; stroke: #3d444d } .text { fill: #f0f6fc } .soft { fill: #9198a1 } .head { fill: #f0f6fc }
      .own { fill: #4f8fe8 } .other { fill: #656c76 } .spread { stroke: #f0f6fc }
    }
  </style>
  <rect class="paper" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
  <text class="head" x="20" y="28">${title}</text>
  <text class="soft" x="20" y="48">milliseconds, less is better; the line is the spread of all rounds</text>
${bars.map((bar, row) => drawn(bar, TOP + row * ROW, scale)).join('\n')}
  <text class="soft" x="20" y="${height - 24}">${escaped(`${machine.cpu}, ${machine.cores} cores, ${machine.kernel}`)}</text>
  <text class="soft" x="20" y="${height - 8}">${escaped(`Node ${machine.node}, OpenSSL ${machine.openssl}; nginx ${machine.nginx}`)}</text>
</svg>
`;
}

function barsOf(figures: readonly Figure[]): readonly Bar[] {
  const polls = figures.filter(({ id }) => id.startsWith('poll-cpu-'));
  const cell = (figure: Figure | undefined, server: keyof Figure['cells']): Cell =>
    figure?.cells[server] ?? { missing: 'not measured' };
  return [
    ...polls.map(
      (figure): Bar => ({
        label: `Fluxgate, ${Number(figure.id.slice('poll-cpu-'.length)).toLocaleString('en-GB')} clusters`,
        kind: 'own',
        cell: cell(figure, 'fluxgate'),
      }),
    ),
    { label: 'bare node:https', kind: 'other', cell: cell(polls[0], 'node') },
    { label: 'nginx, static file', kind: 'other', cell: cell(polls[0], 'nginx') },
  ];
}

function drawn({ label, kind, cell }: Bar, y: number, scale: (value: number) => number): string {
  const name = `  <text class="text" x="${LEFT - 10}" y="${y + 15}" text-anchor="end">${escaped(label)}</text>`;
  if ('missing' in cell)
    return `${name}\n  <text class="soft" x="${LEFT}" y="${y + 15}">${escaped(cell.missing)}</text>`;
  const x = (value: number): string => (LEFT + scale(value)).toFixed(1);
  const [low, high] = spreadOf(cell.values);
  return `${name}
  <rect class="${kind}" x="${LEFT}" y="${y}" width="${scale(cell.median).toFixed(1)}" height="${BAR}" rx="3"/>
  <line class="spread" x1="${x(low)}" y1="${y + BAR / 2}" x2="${x(high)}" y2="${y + BAR / 2}"/>
  <text class="text" x="${(LEFT + scale(high) + 8).toFixed(1)}" y="${y + 15}">${shown(cell.median)}</text>`;
}

const told = (cell: Cell): string => ('missing' in cell ? cell.missing : `${shown(cell.median)} ms`);

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
