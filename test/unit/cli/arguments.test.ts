import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { apiOptions } from '../../../src/cli/api/options.ts';
import { API_FLAGS, normalisedArguments } from '../../../src/cli/arguments.ts';

const normalised = (text: string): string => normalisedArguments(text.split(' ')).join(' ');

describe('arguments', () => {
  it('may name the gateway before the command', () => {
    assert.equal(normalised('--api-url U --ca=F cluster list'), 'cluster list --api-url U --ca=F');
    assert.equal(normalised('--context c cluster get -- -x'), 'cluster get --context c -- -x');
    assert.equal(normalised('--version'), '--version');
    assert.equal(normalised('--dry-run cluster list'), '--dry-run cluster list', 'no other flag');
  });

  it('plan and diff stand before what writes; their own commands stay', () => {
    assert.equal(normalised('plan cluster delete x'), 'cluster delete x --dry-run');
    assert.equal(normalised('--url U diff namespace apply -f -'), 'namespace apply -f - --url U --diff');
    for (const own of ['plan list', 'plan approve H', 'diff', 'plan', 'plan trust plan']) {
      assert.equal(normalised(own), own);
    }
  });

  it('help before a command is --help behind it', () => {
    assert.equal(normalised('help cluster list'), 'cluster list --help');
    assert.equal(normalised('help'), '--help');
    assert.equal(normalised('help plan cluster delete'), 'cluster delete --help --dry-run');
  });

  it('know every flag of a gateway that takes a value', () => {
    const { options } = apiOptions(new Command());
    assert.deepEqual(options.map(({ long }) => long).sort(), [...API_FLAGS].sort());
    assert.ok(options.every(({ required }) => required));
  });
});
