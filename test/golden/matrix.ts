/** Who may do what, as it is kept. */

/** operation → status → principals. */
export type Matrix = Record<string, Record<string, string[]>>;

/** One line for each principal's status would be thousands: a line holds all principals of one status. */
export function serialise(matrices: Readonly<Record<string, Matrix>>): string {
  const modes = Object.entries(matrices).map(([mode, matrix]) => {
    const rows = Object.entries(matrix).map(([operationId, row]) => {
      const lines = Object.entries(row).map(
        ([status, names]) => `      "${status}": ${JSON.stringify(names)}`,
      );
      return `    ${JSON.stringify(operationId)}: {\n${lines.join(',\n')}\n    }`;
    });
    return `  ${JSON.stringify(mode)}: {\n${rows.join(',\n')}\n  }`;
  });
  return `{\n${modes.join(',\n')}\n}`;
}
