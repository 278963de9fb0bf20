import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flag, type Html, html } from '../../../src/shell/http/ui/html.ts';

const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>\`&`;

describe('html', () => {
  it('escapes what goes into text and into attributes', () => {
    const { text } = html`<p title="${HOSTILE}">${HOSTILE}</p>`;
    assert.doesNotMatch(text.slice(1), /<(?!\/p>$)/);
    assert.equal(text.match(/"/g)?.length, 2);
    assert.doesNotMatch(text, /['`]/);
  });

  it('takes markup that it made itself, lists, numbers, and nothing for nothing', () => {
    const items = ['a', '<b>'].map((one) => html`<li>${one}</li>`);
    assert.equal(html`<ul>${items}</ul>${3}${undefined}`.text, '<ul><li>a</li><li>&lt;b&gt;</li></ul>3');
    assert.equal(html`<option${flag('selected', true)}>x</option>`.text, '<option selected>x</option>');
    assert.equal(html`<option${flag('selected', false)}>x</option>`.text, '<option>x</option>');
  });

  it('takes no object for markup but its own', () => {
    const forged = { text: '<script>' } as unknown as Html;
    assert.throws(() => html`<p>${forged}</p>`);
    assert.throws(() => html`<p title="${html`<b></b>`}"></p>`, /markup in an attribute/);
  });

  it('shows what hides or turns text around', () => {
    assert.equal(html`<p>${'a\u202eb\u200bc\u0000d'}</p>`.text, '<p>a⟦U+202E⟧b⟦U+200B⟧c⟦U+0000⟧d</p>');
    assert.equal(html`<p>${'\ud800x'}</p>`.text, '<p>⟦U+D800⟧x</p>');
    assert.equal(html`<p>${'é 😀\n'}</p>`.text, '<p>é 😀\n</p>');
  });

  const value = 'javascript:alert(1)';
  const refused: Readonly<Record<string, () => Html>> = {
    'the front of a link': () => html`<a href="${value}">x</a>`,
    'a host of a link': () => html`<a href="//${value}">x</a>`,
    'the front of a form’s target': () => html`<form action="${value}"></form>`,
    'an attribute without quotes': () => html`<p title=${value}></p>`,
    'an attribute in single quotes': () => html`<p title='${value}'></p>`,
    'an event’s attribute': () => html`<p onclick="${value}"></p>`,
    'a style': () => html`<p style="color: ${value}"></p>`,
    'a script': () => html`<script>${value}</script>`,
    'a style sheet': () => html`<style>${value}</style>`,
    'a tag’s name': () => html`<${value}></p>`,
    'an attribute’s name': () => html`<p ${value}></p>`,
    'a comment': () => html`<!-- ${value} -->`,
    'a frame’s document': () => html`<iframe srcdoc="${value}"></iframe>`,
  };
  for (const [place, render] of Object.entries(refused)) {
    it(`has no value in ${place}`, () => assert.throws(render, TypeError));
  }

  it('takes values behind the path of a link', () => {
    assert.equal(html`<a href="/ui?q=${'a&b'}">x</a>`.text, '<a href="/ui?q=a&amp;b">x</a>');
  });
});
