import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../shell/clock.ts';
import { openSession } from '../api/session.ts';
import { CommandFailed, type TerminalContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import type { FleetOptions } from '../fleet.ts';
import { jsonLine } from '../output/documents.ts';
import { createPaint } from '../output/paint.ts';
import { tableLines } from '../output/table.ts';
import { shown } from '../output/text.ts';
import { durationSeconds } from '../output/time.ts';
import { countsLine, type FleetCluster, type FleetPage, fleetColumns, readFleet } from './clusters.ts';

/**
 * The fleet as it is, then a line for each cluster whose state, lifecycle or refusal changes, until Ctrl-C. A gateway that is away for a
 * while (a restart) is said once, and asked on.
 */
export async function fleetWatch(
  context: TerminalContext,
  options: FleetOptions & { readonly interval: string },
): Promise<void> {
  const seconds = durationSeconds('--interval', options.interval);
  const session = await openSession(context, options);
  const paint = createPaint(context.terminal.output);
  const print = (clusters: readonly FleetCluster[], first: boolean): void => {
    if (options.output === 'json') for (const cluster of clusters) context.print(jsonLine(cluster));
    else {
      const lines = tableLines(fleetColumns(systemClock.now(), paint), clusters);
      for (const line of first ? lines : lines.slice(1)) context.print(line);
    }
  };
  let page = await readFleet(session, options);
  print(page.clusters, true);
  if (options.output !== 'json') {
    context.terminal.errors.write(`${shown(await countsLine(session, page, options))}\n`);
  }
  let away = false;
  for (;;) {
    await sleep(seconds * 1_000);
    try {
      const next = await readFleet(session, options);
      print(changed(page, next), false);
      page = next;
      away = false;
    } catch (error) {
      if (!(error instanceof CommandFailed) || error.exitCode !== EXIT.unavailable) throw error;
      if (!away) context.terminal.errors.write(`${error.message}; asking on\n`);
      away = true;
    }
  }
}

function changed(before: FleetPage, after: FleetPage): readonly FleetCluster[] {
  const known = new Map(before.clusters.map((cluster) => [cluster.id, marksOf(cluster)]));
  return after.clusters.filter((cluster) => known.get(cluster.id) !== marksOf(cluster));
}

function marksOf({ state, lifecycle, refusal, reported }: FleetCluster): string {
  return JSON.stringify([state, lifecycle, refusal?.reason, reported?.failed]);
}
