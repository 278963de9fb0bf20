import {
  Command,
  type ErrorOptions,
  type HelpContext,
  InvalidArgumentError,
  type Option,
  type ParseOptionsResult,
} from 'commander';
import { nearest } from '../core/nearest.ts';

/** A slip is told with one line of usage and where to read on: all that a command takes would push what is wrong off the screen. */
export class BriefCommand extends Command {
  #unknownOption: string | undefined;

  override createCommand(name?: string): BriefCommand {
    return new BriefCommand(name);
  }

  override error(message: string, options?: ErrorOptions): never {
    if (options?.code === 'commander.excessArguments') this.#refuseUnknownCommand();
    if (options?.code === 'commander.missingMandatoryOptionValue') this.#refuseUnknownOption();
    const path = [this.name()];
    for (let above = this.parent; above !== null; above = above.parent) path.unshift(above.name());
    const called = path.join(' ');
    this.showHelpAfterError(`\nUsage: ${called} ${this.usage()}\n'${called} --help' says what it takes.`);
    return super.error(message, options);
  }

  override parseOptions(args: string[]): ParseOptionsResult {
    const parsed = super.parseOptions(args);
    [this.#unknownOption] = parsed.unknown;
    return parsed;
  }

  /** Help that is asked for of a command that is not there is a slip like any other. */
  override outputHelp(context?: HelpContext | ((text: string) => string)): void {
    const isAskedFor = typeof context !== 'object' || context.error !== true;
    if (isAskedFor) this.#refuseUnknownCommand();
    super.outputHelp(context as HelpContext);
  }

  /** A word that is none of a few is told with the one that may have been meant. */
  override addOption(option: Option): this {
    const { argChoices, parseArg } = option;
    if (argChoices === undefined || parseArg === undefined) return super.addOption(option);
    return super.addOption(
      option.argParser((text: string, before: unknown) => {
        const near = argChoices.includes(text) ? undefined : nearest(text, argChoices);
        if (near === undefined) return parseArg(text, before);
        throw new InvalidArgumentError(`Did you mean ${near}? Allowed choices are ${argChoices.join(', ')}.`);
      }),
    );
  }

  /** What seems to be missing may be there, misspelt; commander asks for what is missing first. */
  #refuseUnknownOption(): void {
    if (this.#unknownOption === undefined) return;
    // Commander's own, which its types leave out.
    (this as unknown as { unknownOption(flag: string): never }).unknownOption(this.#unknownOption);
  }

  /** What stands behind a family of commands is meant as one of them, as no family takes an argument of its own. */
  #refuseUnknownCommand(): void {
    const [word] = this.args;
    if (this.commands.length === 0 || word === undefined || /^-|^help$/.test(word)) return;
    if (this.commands.some((one) => one.name() === word || one.aliases().includes(word))) return;
    // Commander's own, which its types leave out.
    (this as unknown as { unknownCommand(): never }).unknownCommand();
  }
}
