import { Command, type ErrorOptions } from 'commander';

/** A slip is told with one line of usage and where to read on: all that a command takes would push what is wrong off the screen. */
export class BriefCommand extends Command {
  override createCommand(name?: string): BriefCommand {
    return new BriefCommand(name);
  }

  override error(message: string, options?: ErrorOptions): never {
    const path = [this.name()];
    for (let above = this.parent; above !== null; above = above.parent) path.unshift(above.name());
    const called = path.join(' ');
    this.showHelpAfterError(`\nUsage: ${called} ${this.usage()}\n'${called} --help' says what it takes.`);
    return super.error(message, options);
  }
}
