import type { Command } from 'commander';
import type { CommandHost } from './context.ts';
import { developmentOnly } from './development-only.ts';

export function registerServe(command: Command, host: CommandHost): void {
  command.action(() => runServe(host));
}

/** What `serve` is, and all of it: it takes nothing. */
export async function runServe(host: CommandHost): Promise<void> {
  const lasting = await host.lasting();
  await (await import('./serve.ts')).serve(lasting);
}

export function registerHealthcheck(command: Command, { context }: CommandHost): void {
  command.action(async () => (await import('./healthcheck.ts')).healthcheck(context));
}

export function registerDev(command: Command, host: CommandHost): void {
  command.action(async () => {
    const lasting = await host.lasting();
    await (await developmentOnly(() => import('./dev.ts'))).dev(lasting);
  });
}
