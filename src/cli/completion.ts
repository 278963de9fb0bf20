import type { Command } from 'commander';
import type { CommandHost } from './context.ts';

/** `tree`: loads every family, so that all words are known. */
export function registerCompletion(
  command: Command,
  { context }: CommandHost,
  tree: () => Promise<Command>,
): void {
  command
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText(
      'after',
      [
        '',
        '  bash   source <(fluxgate completion bash)',
        '  zsh    source <(fluxgate completion zsh)',
        '  fish   fluxgate completion fish | source',
      ].join('\n'),
    )
    .action(async (shell: string) => {
      const { completionScript } = await import('./completion-scripts.ts');
      const script = completionScript(shell, await tree());
      if (script === undefined) command.error(`error: no completion for ${shell}: bash, zsh or fish`);
      else context.print(script);
    });
}
