import { InvalidArgumentError } from 'commander';
import { shown } from '../output/text.ts';

/** Values of options that name labels and the like, judged before anything is asked: each throws what Commander says with the option's name. */

/** As openapi.yaml has LabelKey and LabelValue. */
export const LABEL_KEY =
  /^(?:(?=[^/]{1,253}\/)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
export const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

const LETTERS = 'at most 63 letters, digits, "-", "_" and ".", with a letter or digit at both ends';
const LABEL = 'region=us-east';

/** KEY=VALUE, a label of a cluster or namespace. */
export function label(text: string): string {
  const { key, value } = pairOf(text, LABEL);
  if (!LABEL_KEY.test(key)) throw invalid(`${quoted(key)} is no label's key (${LETTERS}), such as ${LABEL}.`);
  if (!LABEL_VALUE.test(value)) {
    throw invalid(`${quoted(value)} is no label's value (${LETTERS}), such as ${LABEL}.`);
  }
  return text;
}

/** For options that may be said several times. */
export function labels(text: string, before: readonly string[] = []): readonly string[] {
  return added(before, label(text));
}

/** The same, with commas: what a selector or a token has. */
export function labelList(text: string, before: readonly string[] = []): readonly string[] {
  const parts = text.split(',').map((part) => part.trim());
  return parts.reduce((all, part) => added(all, label(part)), before);
}

/** An annotation's value may be anything. */
export function annotations(text: string, before: readonly string[] = []): readonly string[] {
  const example = 'owner=web-team';
  const { key } = pairOf(text, example);
  if (!LABEL_KEY.test(key)) {
    throw invalid(`${quoted(key)} is no annotation's key (${LETTERS}), such as ${example}.`);
  }
  return added(before, text);
}

/** A value of a component: of its key and value the gateway knows more. */
export function settings(text: string, before: readonly string[] = []): readonly string[] {
  pairOf(text, 'replicas=2');
  return added(before, text);
}

/** Of what an option of this module has taken. */
export function keyValues(texts: readonly string[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(texts.map((text) => [keyOf(text), text.slice(text.indexOf('=') + 1)]));
}

const keyOf = (text: string): string => text.slice(0, text.indexOf('='));

function pairOf(text: string, example: string): { readonly key: string; readonly value: string } {
  const at = text.indexOf('=');
  if (at < 1) throw invalid(`${quoted(text)} is not KEY=VALUE, such as ${example}.`);
  return { key: text.slice(0, at), value: text.slice(at + 1) };
}

/** Of two values for one key, the first would be dropped without a word. */
function added(before: readonly string[], text: string): readonly string[] {
  const key = keyOf(text);
  if (before.some((one) => keyOf(one) === key)) throw invalid(`${quoted(key)} has two values: say one.`);
  return [...before, text];
}

const quoted = (text: string): string => shown(JSON.stringify(text));

const invalid = (message: string): InvalidArgumentError => new InvalidArgumentError(message);
