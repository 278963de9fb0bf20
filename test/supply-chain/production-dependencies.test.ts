import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PROJECT } from '../support/spawned.ts';

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly hasInstallScript?: true;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: true;
  readonly optional?: true;
  readonly devOptional?: true;
}

const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');
const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> };
const nameOf = (path: string): string => path.split('node_modules/').at(-1) ?? '';

/** What `npm ci --omit=dev --omit=optional` installs. */
const production = Object.entries(lock.packages).filter(
  ([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional,
);

/** Those that ask nothing of whoever runs the gateway but to name the authors. */
const LICENCES = [
  'Apache-2.0',
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'PSF-2.0',
];

describe('a production dependency', () => {
  it('runs no script when it is installed, and is what the lock file says it is', () => {
    assert.ok(production.length > 30);
    for (const [path, { hasInstallScript, integrity }] of production) {
      assert.equal(hasInstallScript, undefined, path);
      assert.match(integrity ?? '', /^sha512-/, path);
      const { scripts = {}, gypfile } = JSON.parse(read(`${path}/package.json`)) as {
        gypfile?: boolean;
        scripts?: Record<string, string>;
      };
      for (const name of ['preinstall', 'install', 'postinstall'])
        assert.equal(scripts[name], undefined, path);
      // npm builds what has a binding.gyp, unless the package says otherwise.
      assert.ok(gypfile === false || !existsSync(join(PROJECT, path, 'binding.gyp')), path);
    }
    assert.match(read('.npmrc'), /^ignore-scripts=true$/m);
  });

  it('has a licence that is listed in docs/licences.md, and nothing else is', () => {
    const listed = read('docs/licences.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const expected = production.map(([path, { version, license = 'none' }]) => {
      assert.ok(LICENCES.includes(license), `${path}: ${license}`);
      return `| \`${nameOf(path)}\` | ${version} | ${license} |`;
    });
    assert.deepEqual(listed, [...new Set(expected)].sort());
  });

  it('is named in the SBOM', { skip: process.env['SBOM_FILE'] === undefined && 'CI makes it' }, () => {
    const sbom = JSON.parse(read(process.env['SBOM_FILE'] ?? '')) as {
      bomFormat: string;
      components: { purl: string }[];
    };
    assert.equal(sbom.bomFormat, 'CycloneDX');
    const named = new Set(sbom.components.map(({ purl }) => decodeURIComponent(purl.split('?')[0] ?? '')));
    for (const [path, { version }] of production) {
      assert.ok(named.has(`pkg:npm/${nameOf(path)}@${version}`), path);
    }
  });
});
