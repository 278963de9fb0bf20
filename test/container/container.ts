import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Spawned, spawned } from '../support/spawned.ts';
import { type Image, IS_ROOT } from './image.ts';

/**
 * Runs a command of the image. As root: below the image's own root, as its user, so that a file or library that is missing there
 * is missing here. As anybody else: the same files at their own paths, write-protected.
 */
export function container(
  t: Pick<TestContext, 'after'>,
  image: Image,
  settings: Readonly<Record<string, string>>,
): (argv: readonly string[]) => Spawned {
  const environment = { ...image.config.environment, ...settings };
  if (IS_ROOT) {
    const as = ['/usr/sbin/chroot', `--userspec=${image.config.user}`, image.root];
    return (argv) => spawned(t, [...as, ...argv], { environment, directory: image.root });
  }
  const moved = (text: string): string =>
    text.replaceAll(/^(sqlite:\/\/)?(?=\/(app|data|etc)\/)/g, `$1${image.root}`);
  const entries = Object.entries(environment).map(([name, value]) => [name, moved(value)]);
  return ([, ...rest]) =>
    spawned(t, [process.execPath, ...rest.map(moved)], {
      environment: Object.fromEntries(entries) as Record<string, string>,
      directory: join(image.root, 'app'),
    });
}
