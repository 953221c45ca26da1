/** An object of an event; nothing in it is believed yet. */
export type Members = Readonly<Record<string, unknown>>;
export type Texts = Readonly<Record<string, string | null | undefined>>;
export type ManyTexts = Readonly<Record<string, readonly string[] | null | undefined>>;

/**
 * Looks at an event member by member. What is not as it must be is read as if it were not there, and its place is noted, so that one
 * look tells every fault. Events come with every request, too often for a general reader of schemas.
 */
export class EventShape {
  /** The places of what is wrong, such as `headers.accept`; never what stands there. */
  readonly faults: string[] = [];

  /** A text that must be there. */
  text(value: unknown, place: string): string {
    return typeof value === 'string' ? value : this.#fault(place, '');
  }

  /** A text, or null where there is none. */
  optionalText(value: unknown, place: string): string | null {
    return typeof value === 'string' ? value : this.#absent(value, place);
  }

  /** One of certain values. */
  oneOf(value: unknown, values: readonly unknown[], place: string): void {
    if (!values.includes(value)) this.#fault(place, null);
  }

  /** An object that must be there. */
  object(value: unknown, place: string): Members | null {
    return isMembers(value) ? value : this.#fault(place, null);
  }

  /** An object, or null where there is none. */
  optionalObject(value: unknown, place: string): Members | null {
    return isMembers(value) ? value : this.#absent(value, place);
  }

  /** An object whose members are texts; any of them may be absent. */
  texts(value: unknown, place: string): Texts | null {
    const texts = this.optionalObject(value, place);
    for (const name in texts) if (typeof texts[name] !== 'string') this.#absent(texts[name], `${place}.${name}`);
    return texts as Texts | null;
  }

  /** An object whose members are lists of texts; any list may be absent. */
  manyTexts(value: unknown, place: string): ManyTexts | null {
    const lists = this.optionalObject(value, place);
    for (const name in lists) {
      const list = lists[name];
      if (!Array.isArray(list)) this.#absent(list, `${place}.${name}`);
      else for (const [at, text] of list.entries()) this.text(text, `${place}.${name}.${at}`);
    }
    return lists as ManyTexts | null;
  }

  #absent(value: unknown, place: string): null {
    return value === undefined || value === null ? null : this.#fault(place, null);
  }

  #fault<T>(place: string, instead: T): T {
    this.faults.push(place);
    return instead;
  }
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
