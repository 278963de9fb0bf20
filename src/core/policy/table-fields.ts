/** A YAML map whose every field must be asked for by somebody: what is misspelt must not be passed over. */
export class Fields {
  readonly #where: string;
  readonly #left: Map<string, unknown>;

  constructor(value: unknown, where: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new Error(`${where} is not a map`);
    }
    this.#where = where;
    this.#left = new Map(Object.entries(value));
  }

  take(name: string): unknown {
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value;
  }

  text(name: string, absent?: string): string {
    const value = this.take(name) ?? absent;
    if (typeof value !== 'string') throw new Error(`${this.#where}: ${name} is not text`);
    return value;
  }

  truth(name: string): boolean {
    const value = this.take(name) ?? false;
    if (typeof value !== 'boolean') throw new Error(`${this.#where}: ${name} is neither true nor false`);
    return value;
  }

  texts(name: string): readonly string[] {
    const value = this.take(name) ?? [];
    if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) {
      throw new Error(`${this.#where}: ${name} is not a list of texts`);
    }
    return value;
  }

  oneOf<T extends string>(name: string, known: readonly T[], absent?: T): T {
    const value = this.text(name, absent);
    const found = known.find((one) => one === value);
    if (found === undefined) throw new Error(`${this.#where}: ${name} is not one of ${known.join(', ')}`);
    return found;
  }

  someOf<T extends string>(name: string, known: readonly T[]): readonly T[] {
    return this.texts(name).map((value) => {
      const found = known.find((one) => one === value);
      if (found === undefined)
        throw new Error(`${this.#where}: ${name}: ${value} is not one of ${known.join(', ')}`);
      return found;
    });
  }

  map<T>(name: string, read: (value: unknown, where: string) => T): ReadonlyMap<string, T> {
    const value = this.take(name);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new Error(`${this.#where}: ${name} is not a map`);
    }
    return new Map(Object.entries(value).map(([key, one]) => [key, read(one, `${name}: ${key}`)]));
  }

  list<T>(name: string, read: (value: unknown, where: string) => T): readonly T[] {
    const value = this.take(name);
    if (!Array.isArray(value)) throw new Error(`${this.#where}: ${name} is not a list`);
    return value.map((one: unknown, index) => read(one, `decision ${index + 1}`));
  }

  end(): void {
    const [unknown] = this.#left.keys();
    if (unknown !== undefined) throw new Error(`${this.#where}: nobody knows the field ${unknown}`);
  }
}
