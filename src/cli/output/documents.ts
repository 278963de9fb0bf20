import { Document, Scalar, visit } from 'yaml';
import { escapedUnits, holdsObeyed } from './text.ts';

/** Both forms hold exactly the value, and no character that a terminal would obey. */

export function jsonText(value: unknown): string {
  return escapedUnits(JSON.stringify(value, undefined, 2) ?? 'null');
}

/** One object a line, for programs that read as it comes. */
export function jsonLine(value: unknown): string {
  return escapedUnits(JSON.stringify(value));
}

/** A list becomes several documents, which is what `apply -f -` takes. */
export function yamlText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : value.map(yamlDocument).join('\n---\n');
  return yamlDocument(value);
}

function yamlDocument(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_key, node) {
      // Only double quotes have escapes.
      if (typeof node.value === 'string' && holdsObeyed(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return escapedUnits(document.toString({ lineWidth: 0 }).trimEnd());
}
