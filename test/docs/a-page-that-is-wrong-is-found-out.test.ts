import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { parsePage } from '../support/page.ts';
import { executePage, missingTools, type PageOptions, printedPattern } from '../support/page-shell.ts';

/** What executes the pages would be worth nothing if it passed whatever is written there. */

const fence = (language: string, ...lines: readonly string[]): string =>
  ['```'.concat(language), ...lines, '```', ''].join('\n');

async function execute(text: string, options: Partial<PageOptions> = {}): Promise<void> {
  await executePage(parsePage('page.md', text), { directory: tmpdir(), environment: {}, ...options });
}

describe('a page', { skip: missingTools() ?? false }, () => {
  it('is executed: what one block sets, the next has, and what is printed is as it is written', async () => {
    await execute(
      fence('sh', 'a=1', 'f() { echo "$a $1"; }') +
        fence('sh', 'f 2', 'echo err >&2') +
        fence('text', '1 2', 'err') +
        fence('console', '$ f 3', '1 3', '$ echo x \\', '  y', 'x y'),
    );
    await execute(fence('sh', 'echo localhost:8443') + fence('text', 'localhost:8443'), {
      names: { 'localhost:8443': 'localhost:1' },
    });
  });

  it('fails with a command that fails, wherever it stands', async () => {
    for (const line of ['false', 'false | true', 'echo "$not_set"', 'no-such-command', 'exit 3']) {
      await assert.rejects(execute(fence('sh', 'true', line, 'true')), /exit \d+/, line);
    }
  });

  it('fails with another output, with more of it and with less', async () => {
    for (const printed of ['b', 'a\nb', 'a b', '']) {
      await assert.rejects(execute(fence('sh', 'echo a') + fence('text', printed)), assert.AssertionError);
    }
  });

  it('leaves out what it says it leaves out, and no more than the next block', async () => {
    await execute(`<!-- not run: why -->\n\n${fence('sh', 'false')}`);
    await assert.rejects(execute(`<!-- not run: why -->\n\n${fence('sh', 'true')}${fence('sh', 'false')}`));
    assert.throws(() => parsePage('page.md', `<!-- not run: why -->\n\nText.\n\n${fence('sh', 'false')}`));
    assert.throws(() => parsePage('page.md', '<!-- not run: why -->\n'));
  });

  it('goes on once something lasting has said so, ends it, and fails where it never does', async () => {
    const lasting = fence('sh', 'trap "echo over > over; exit" INT', 'echo up; while :; do sleep 0.05; done');
    await execute(
      `<!-- lasts until: up -->\n${lasting}<!-- test: Ctrl-C -->\n${fence('sh', 'cat over; rm over')}`,
    );
    await assert.rejects(execute(`<!-- lasts until: up -->\n${fence('sh', 'echo down')}`), /ended before/);
  });

  it('has events that somebody plays, and nobody plays others', async () => {
    const page = '<!-- test: it rains -->\n';
    await assert.rejects(execute(page), /nobody plays "it rains"/);
    let rained = false;
    const rain = async (): Promise<void> => {
      rained = true;
    };
    await execute(page, { events: { 'it rains': rain } });
    assert.ok(rained);
    await assert.rejects(execute('', { events: { 'it rains': rain } }), /does not have/);
  });

  it('has no block that nobody understands, and no output of nothing', () => {
    for (const language of ['', 'bash', 'shell', 'sh  ', 'console ']) {
      assert.throws(() => parsePage('page.md', fence(language, 'true')), /a block of/, language);
    }
    assert.throws(() => parsePage('page.md', `${fence('sh', 'true')}\`\`\`sh\nfalse\n`), /not closed/);
    assert.throws(() => parsePage('page.md', fence('text', 'a')), /nobody's output/);
    assert.throws(() => parsePage('page.md', fence('sh', 'true') + fence('text', 'a') + fence('text', 'b')));
  });

  it('says with … what is not the same each time: within a line, or whole lines', () => {
    assert.match('a 12 b\n', printedPattern('a … b'));
    assert.doesNotMatch('a 1\n2 b\n', printedPattern('a … b'));
    assert.match('first\n2\n3\nlast\n', printedPattern('first\n…\nlast'));
    assert.doesNotMatch('first\n2\n', printedPattern('first\n…\nlast'));
    assert.doesNotMatch('axb', printedPattern('a.b'));
  });
});
