import { visit } from 'jsonc-parser';
import { type ErrorDetail, FluxgateError } from './errors.ts';
import { LIMITS } from './limits.ts';

/**
 * JSON in exactly one reading: UTF-8 without repair, no duplicate keys (two parsers disagreeing on which one counts is an
 * attack), no `__proto__`, bounded depth and numbers of keys and values. Throws `malformed_request` or `validation_error`.
 */
export function parseStrictJson(bytes: Uint8Array, valuesMax: number = LIMITS.jsonValuesMax): unknown {
  const text = decode(bytes);
  refuseAmbiguity(text, valuesMax);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new FluxgateError('malformed_request', 'The body is not JSON. Send one JSON object, RFC 8259.', {
      cause: error,
    });
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new FluxgateError('malformed_request', 'The body is not UTF-8. Encode it as UTF-8.', {
      cause: error,
    });
  }
}

function refuseAmbiguity(text: string, valuesMax: number): void {
  const keysOfOpenObjects: Set<string>[] = [];
  let depth = 0;
  let keys = 0;
  let values = 0;
  const count = (): void => {
    values++;
    if (values > valuesMax) {
      throw new FluxgateError('malformed_request', `The body has more than ${valuesMax} values.`);
    }
  };
  const enter = (): void => {
    count();
    depth++;
    if (depth > LIMITS.jsonDepthMax) {
      throw new FluxgateError(
        'malformed_request',
        `The body is nested deeper than ${LIMITS.jsonDepthMax} levels; no object of the fleet is.`,
      );
    }
  };
  visit(
    text,
    {
      onObjectBegin: () => {
        enter();
        keysOfOpenObjects.push(new Set());
      },
      onArrayBegin: enter,
      onObjectEnd: () => {
        depth--;
        keysOfOpenObjects.pop();
      },
      onArrayEnd: () => {
        depth--;
      },
      onLiteralValue: count,
      onObjectProperty: (key, _offset, _length, _line, _column, pathOf) => {
        keys++;
        if (keys > LIMITS.jsonKeysMax) {
          throw new FluxgateError('malformed_request', `The body has more than ${LIMITS.jsonKeysMax} keys.`);
        }
        const open = keysOfOpenObjects.at(-1);
        if (key === '__proto__') throw wrongKey(pathOf(), key, 'is not a known field');
        if (open?.has(key)) throw wrongKey(pathOf(), key, 'is there twice: name it once');
        open?.add(key);
      },
    },
    { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false },
  );
}

function wrongKey(path: readonly (string | number)[], key: string, problem: string): FluxgateError {
  const pointerPart = (part: string | number): string =>
    String(part).replaceAll('~', '~0').replaceAll('/', '~1');
  const field = [...path, key].map((part) => `/${pointerPart(part).slice(0, 100)}`).join('');
  const details: ErrorDetail[] = [{ field, problem }];
  return new FluxgateError('validation_error', 'The body is ambiguous; see details.', { details });
}
