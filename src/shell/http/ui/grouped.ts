/** `12,345`. Not by Intl, which takes its tables in at the first number: some 15 ms that whoever looks first would wait for. */
export const grouped = (count: number): string => String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
