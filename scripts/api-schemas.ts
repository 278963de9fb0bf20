/** The schemas of openapi.yaml as tables. */

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

const cell = (text: string): string => text.trim().replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
/** A name's own heading, so that what refers to it leads there. */
const link = (reference: string): string => {
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  return `[${name}](#${name.toLowerCase()})`;
};

/** What a value may be, in few words, with links to the schemas that it names. */
export function shownType(schema: Schema | undefined): string {
  if (schema === undefined) return 'anything';
  if (schema.$ref !== undefined) return link(schema.$ref);
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  const several = schema.oneOf ?? schema.anyOf;
  if (several !== undefined) return several.map(shownType).join(' or ');
  if (schema.allOf !== undefined) return schema.allOf.map(shownType).join(' and ');
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  return types.map((type) => shownBasicType(type, schema)).join(' or ') || 'anything';
}

function shownBasicType(type: string, schema: Schema): string {
  if (type === 'array')
    return `list of ${shownType(schema.items)}${bounds(schema.minItems, schema.maxItems)}`;
  if (type === 'object' && typeof schema.additionalProperties === 'object') {
    return `map of ${shownType(schema.additionalProperties)}`;
  }
  if (type === 'integer' || type === 'number') return `${type}${bounds(schema.minimum, schema.maximum)}`;
  return type;
}

function bounds(least: number | undefined, most: number | undefined): string {
  if (least === undefined && most === undefined) return '';
  if (least === undefined) return `, at most ${most}`;
  return most === undefined ? `, at least ${least}` : `, ${least} to ${most}`;
}

/** One heading each, in the order of their names: whoever follows a link looks for a name. */
export function schemaTables(
  components: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  examples: ReadonlyMap<string, string>,
): readonly string[] {
  const schemas = { ...components['schemas'], ...components['x-schemas'] } as Readonly<
    Record<string, Schema>
  >;
  return Object.keys(schemas)
    .sort()
    .flatMap((name) => {
      const example = examples.get(name);
      return [...schemaSection(name, schemas[name] ?? {}), ...(example === undefined ? [] : [example])];
    });
}

function schemaSection(name: string, schema: Schema): readonly string[] {
  const { properties = {}, required = [], description } = schema;
  const out = [`#### ${name}`];
  if (description !== undefined) out.push(description.trim());
  const rows = Object.entries(properties).map(([field, value]) => {
    const shown = `\`${field}\`${required.includes(field) ? '' : ' (optional)'}`;
    return `| ${shown} | ${cell(shownType(value))} | ${cell(value.description ?? '')} |`;
  });
  if (rows.length > 0) out.push(['| field | | |', '|---|---|---|', ...rows].join('\n'));
  else out.push(plainSchema(schema));
  return out;
}

function plainSchema(schema: Schema): string {
  const length = schema.maxLength === undefined ? '' : `, at most ${schema.maxLength} characters`;
  // Two of them, so that a pattern may hold one.
  const pattern = schema.pattern === undefined ? '' : `, as \`\` ${schema.pattern} \`\``;
  return `${shownType(schema)}${length}${pattern}.`;
}
