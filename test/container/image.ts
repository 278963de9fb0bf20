import { execFile } from 'node:child_process';
import { constants, cpSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ENGINE_OPTIONS } from '../../src/shell/sandbox.ts';
import { PROJECT } from '../support/spawned.ts';
import {
  dockerignore,
  execForm,
  type Instruction,
  pairs,
  parseDockerfile,
  type Stage,
} from './dockerfile.ts';

/**
 * There is no Docker engine where tests run, so this walks the Dockerfile's steps and makes the filesystem that they would make:
 * the base images' parts that matter come from this machine, the packages from the checkout's node_modules.
 */

export interface ImageConfig {
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly user: string;
  readonly workingDirectory: string;
  readonly volumes: readonly string[];
  readonly healthcheck: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

export interface Image {
  /** Where the final stage's filesystem is. */
  readonly root: string;
  readonly config: ImageConfig;
  remove(): Promise<void>;
}

/** Only root may give files away and change roots; elsewhere the walk is done without. */
export const IS_ROOT = process.platform === 'linux' && process.getuid?.() === 0;

/** What gcr.io/distroless/cc holds of what Node asks for: libc6, libstdc++6, libgcc-s1, and no libatomic1. */
const DISTROLESS_CC =
  /^(ld-linux-[\w-]+\.so\.\d|lib(c|dl|m|pthread|rt|resolv)\.so\.\d|libstdc\+\+\.so\.6|libgcc_s\.so\.1)$/;

/** The shared libraries of this Node, as the machine has them. */
function sharedLibraries(): readonly string[] {
  const report = process.report.getReport() as unknown as { sharedObjects: string[] };
  return report.sharedObjects.filter((path) => path.startsWith('/') && path.includes('.so'));
}

/** Names below node_modules that `npm ci --omit=dev --omit=optional` installs. */
export async function productionPackages(): Promise<readonly string[]> {
  const lock = JSON.parse(await readFile(join(PROJECT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: true; optional?: true; devOptional?: true; hasInstallScript?: true }>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional)
    .map(([path]) => path);
}

type Run = (root: string, user: string) => Promise<void>;

const command = promisify(execFile);

const CACHE = 'app/node_modules/.cache/fluxgate';
const OPTIONS_OF_CACHES = ['', ENGINE_OPTIONS.join(' ')];
const LOAD_ALL =
  "for (const file of ['cli/program', 'cli/serve', 'cli/run-gateway']) await import('/app/src/' + file + '.ts'); " +
  "await (await import('/app/src/shell/http/handlers/operator-handlers.ts')).loadOperatorHandlers(() => Promise.resolve())";

/** Every RUN that the walk knows, by its text, and what it makes. */
const RUNS: Readonly<Record<string, Run>> = {
  'npm ci --omit=dev --omit=optional --ignore-scripts': async (root) => {
    for (const path of await productionPackages()) {
      cpSync(join(PROJECT, path), join(root, 'app', path), { recursive: true });
    }
  },
  [`cp -L "$(ldd /usr/local/bin/node | awk '/libatomic/ { print $3 }')" /usr/local/lib/libatomic.so.1`]:
    async (root) => {
      const found = sharedLibraries().find((path) => path.includes('libatomic'));
      if (found !== undefined) await put(found, join(root, 'usr/local/lib/libatomic.so.1'));
    },
  'mkdir -p node_modules/.cache/fluxgate && chown 65532:65532 node_modules/.cache/fluxgate': async (root) => {
    await mkdir(join(root, CACHE), { recursive: true });
    if (IS_ROOT) await command('chown', ['65532:65532', join(root, CACHE)]);
  },
  // Where the root cannot be changed, what is compiled is of another path, and nothing finds it.
  [`for options in ${OPTIONS_OF_CACHES.map((options) => `"${options}"`).join(' ')}; do NODE_COMPILE_CACHE=/${CACHE} node $options --input-type=module -e "${LOAD_ALL}"; done`]:
    async (root, user) => {
      if (!IS_ROOT) return;
      for (const options of OPTIONS_OF_CACHES) {
        const node = ['/usr/local/bin/node', ...options.split(' ').filter(Boolean)];
        const argv = [`--userspec=${user}`, root, ...node, '--input-type=module', '-e', LOAD_ALL];
        await command('/usr/sbin/chroot', argv, { env: { NODE_COMPILE_CACHE: `/${CACHE}` } });
      }
    },
  'chmod -R a+rX node_modules/.cache': async (root) => {
    await command('chmod', ['-R', 'a+rX', join(root, 'app/node_modules/.cache')]);
  },
  'mkdir /data': async (root) => {
    await mkdir(join(root, 'data'));
  },
};

async function put(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await chmod(to, (await stat(from)).mode);
}

async function startStage(base: string, root: string): Promise<void> {
  await mkdir(join(root, 'usr/local/lib'), { recursive: true });
  if (/^node:/.test(base)) {
    const node = join(root, 'usr/local/bin/node');
    await mkdir(dirname(node), { recursive: true });
    await put(process.execPath, node);
    for (const library of sharedLibraries()) await put(library, join(root, library));
    return;
  }
  if (!/^gcr\.io\/distroless\/cc-debian\d+:nonroot$/.test(base))
    throw new Error(`no test knows the base ${base}`);
  for (const library of sharedLibraries()) {
    if (DISTROLESS_CC.test(basename(library))) await put(library, join(root, library));
  }
}

async function runCopy(
  { flags, text }: Instruction,
  place: { root: string; directory: string },
  roots: ReadonlyMap<string, string>,
): Promise<void> {
  const words = text.split(/\s+/);
  const target = words.pop() ?? '';
  const from = flags['from'];
  const source = from === undefined ? PROJECT : roots.get(from);
  if (source === undefined) throw new Error(`COPY --from=${from}: no such stage`);
  const lets =
    from === undefined ? dockerignore(await readFile(join(PROJECT, '.dockerignore'), 'utf8')) : () => true;
  const owner = flags['chown'] ?? '0:0';
  for (const word of words) {
    const path = word.replace(/^\//, '');
    if (!lets(path)) throw new Error(`COPY ${word}: .dockerignore keeps it out`);
    const into = join(place.root, target.startsWith('/') ? '' : place.directory, target);
    const to = target.endsWith('/') ? join(into, basename(path)) : into;
    await mkdir(dirname(to), { recursive: true });
    // What a later stage takes from an earlier one is taken once, so it may as well be moved.
    if (from !== undefined) await rename(join(source, path), to);
    else {
      const filter = (file: string): boolean => lets(file.slice(source.length).replace(/^\//, ''));
      cpSync(join(source, path), to, { recursive: true, filter });
    }
    if (IS_ROOT) await command('chown', ['-R', owner, to]);
  }
}

async function walkStage(
  stage: Stage,
  root: string,
  roots: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, Instruction>> {
  await startStage(stage.base, root);
  let directory = '/';
  let user = '0:0';
  const others = new Map<string, Instruction>();
  for (const instruction of stage.instructions) {
    const { name, text } = instruction;
    if (name === 'WORKDIR') {
      directory = text;
      await mkdir(join(root, directory), { recursive: true });
    } else if (name === 'COPY') await runCopy(instruction, { root, directory }, roots);
    else if (name === 'RUN') {
      const run = RUNS[text];
      if (run === undefined) throw new Error(`no test knows RUN ${text}`);
      await run(root, user);
    } else {
      if (name === 'USER') user = text;
      else if (others.has(name)) throw new Error(`${name} twice in a stage`);
      others.set(name, instruction);
    }
  }
  return new Map([...others, ['WORKDIR', { name: 'WORKDIR', flags: {}, text: directory }]]);
}

export async function buildImage(): Promise<Image> {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-image-'));
  await chmod(directory, 0o755);
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const { stages } = parseDockerfile(await readFile(join(PROJECT, 'Dockerfile'), 'utf8'));
    const roots = new Map<string, string>();
    let last: ReadonlyMap<string, Instruction> = new Map();
    let root = '';
    for (const [index, stage] of stages.entries()) {
      root = join(directory, stage.name ?? String(index));
      last = await walkStage(stage, root, roots);
      roots.set(stage.name ?? String(index), root);
    }
    return { root, config: configOf(last), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function configOf(last: ReadonlyMap<string, Instruction>): ImageConfig {
  const text = (name: string): string => last.get(name)?.text ?? '';
  return {
    environment: pairs(text('ENV')),
    labels: pairs(text('LABEL')),
    user: text('USER'),
    workingDirectory: text('WORKDIR'),
    volumes: execForm(text('VOLUME')),
    healthcheck: execForm(text('HEALTHCHECK').replace(/^.*?CMD /, '')),
    entrypoint: execForm(text('ENTRYPOINT')),
    command: execForm(text('CMD')),
  };
}
