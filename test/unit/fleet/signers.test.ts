import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Signer } from '../../../src/core/fleet/objects.ts';
import { signerProblems } from '../../../src/core/fleet/signers.ts';
import { sampleComponent } from '../../support/fleet.ts';

const GITHUB = String.raw`^https://token\.actions\.githubusercontent\.com$`;
const WORKFLOW = String.raw`^https://github\.com/my-org/app/\.github/workflows/release\.yml@refs/tags/v.*$`;

const problemOf = (fields: Partial<Signer>): string | undefined => {
  const verify = {
    provider: 'cosign',
    match_oidc_identity: [{ issuer: GITHUB, subject: WORKFLOW, ...fields }],
  } as const;
  return signerProblems(sampleComponent('a', { verify }))[0]?.problem;
};

describe('a signer', () => {
  it('may be whom Flux can be told of, exactly or within an organisation', () => {
    for (const subject of [
      WORKFLOW,
      String.raw`^https://github\.com/my-org/.*$`,
      String.raw`^https://github\.com/my-org/app/[a-z0-9_-]+@[0-9a-f]{40}$`,
      String.raw`^https://github\.com/(my-org|my-other-org)/(?:app|tool)/.+$`,
      String.raw`^(https://github\.com/a/b|https://gitlab\.example\.com/a/)c?$`,
      String.raw`^release@example\.com$`,
      String.raw`^(ann|bob)@example\.com$`,
      String.raw`^https://kubernetes\.io/namespaces/ci/serviceaccounts/builder$`,
      String.raw`^https://github\.com/my-org/a\[b\]\{c\}\$$`,
    ]) {
      assert.equal(problemOf({ subject }), undefined, subject);
    }
    for (const issuer of [
      GITHUB,
      String.raw`^https://(accounts\.google\.com|login\.example\.com)$`,
      String.raw`^https://oidc\.eks\.eu-west-1\.amazonaws\.com/id/[0-9A-F]{32}$`,
    ]) {
      assert.equal(problemOf({ issuer }), undefined, issuer);
    }
  });

  const refused = (expressions: readonly string[], why: RegExp, part: keyof Signer = 'subject'): void => {
    for (const expression of expressions)
      assert.match(problemOf({ [part]: expression }) ?? 'accepted', why, expression);
  };

  it('is anchored, on every way through the expression', () => {
    refused(
      ['https://github\\.com/my-org/', '^https://github\\.com/my-org/', 'x$', '^x\\$', '^a^b$', '^(^a$)$'],
      /begin with/,
    );
    refused(['^https://github\\.com/my-org/.*|x$', '^a|b$', '^|$'], /inside parentheses/);
  });

  it('is not anybody: what varies comes after the host, or the owner', () => {
    refused(
      [
        '^.*$',
        '^.+$',
        '^https://.*$',
        '^https://github\\.com/.*$',
        '^https://github.com/my-org/.*$',
        '^[^x]+$',
        '^$',
        '^()$',
      ],
      /who signs/,
    );
    refused(
      ['^(https://github\\.com/my-org/.*|.*)$', '^(|https://github\\.com/a/b)$', '^\\w+@example\\.com$'],
      /who signs/,
    );
    refused(['^https://github\\.com/?my-org/x/.*$', '^(https://github\\.com/)*my-org/.*$'], /who signs/);
    refused(
      [
        '^.*$',
        '^https://.*$',
        '^https://token.actions.githubusercontent.com$',
        '^https://[a-z]+\\.example\\.com/$',
      ],
      /host/,
      'issuer',
    );
  });

  it('is of what RE2 takes, and of what both read alike', () => {
    const inside = [
      '(?=a)',
      '(?!a)',
      '(?<a>b)',
      '(?P<a>b)',
      '(?i)a',
      '\\1',
      '\\b',
      '\\A',
      '\\Q',
      '\\x41',
      '\\pL',
      'ä',
      '\t',
    ];
    const broken = [
      '(a',
      'a)',
      '[a',
      'a]',
      '[z-a]',
      '[]a]',
      '[^]',
      '[[:alpha:]]',
      'a**',
      'a{2}{3}',
      'a{,2}',
      'a{',
    ];
    refused(
      [...inside, ...broken].map((part) => `^https://github\\.com/my-org/${part}$`),
      /RE2/,
    );
    refused(['^*a$', '^{2}a$', '^(*a)$', '^(|+)$'], /RE2/);
    const many = ['a{1001}', '(a{100}){11}', 'a{3,2}', `${'(a|b)'.repeat(7)}`];
    refused(
      many.map((part) => `^${part}https://github\\.com/my-org/$`),
      /1000 times/,
    );
  });

  it('costs nothing to look at, however it nests', () => {
    const before = process.cpuUsage();
    refused(
      [`^${'('.repeat(250)}a${')+'.repeat(250)}$`, `^${'(a|a)+'.repeat(80)}$`, `^${'(.*)*'.repeat(80)}x$`],
      /./,
    );
    const { user } = process.cpuUsage(before);
    assert.ok(user < 1_000_000, `${user} µs`);
  });

  it('is of an oci:// source, the only one that Flux verifies', () => {
    const verify = {
      provider: 'cosign',
      match_oidc_identity: [{ issuer: GITHUB, subject: WORKFLOW }],
    } as const;
    const [problem] = signerProblems(sampleComponent('a', { verify, oci_url: 'https://charts.example.com' }));
    assert.equal(problem?.field, '/verify');
  });
});
