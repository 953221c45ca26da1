import { IncomingMessage } from 'node:http';

const sorted = Object.getOwnPropertyDescriptor(IncomingMessage.prototype, 'headers');
const NO_FIELDS: IncomingMessage['headers'] = Object.freeze({});

/**
 * Node's message, which does not sort its fields before somebody of ours asks. Node's server looks for `Expect` and `Upgrade` in
 * every request by the sorted fields; a check of a proxy needs only the raw ones, and to sort them costs a tenth of it.
 */
export class LeanMessage extends IncomingMessage {
  /** From now on `headers` are all the fields. Until then they are none, where neither `Expect` nor `Upgrade` is among them. */
  readsFields = false;
}

// A class could not put an accessor where Node's types have a property.
if (sorted?.get !== undefined) {
  const { get } = sorted;
  Object.defineProperty(LeanMessage.prototype, 'headers', {
    ...sorted,
    get(this: LeanMessage) {
      return this.readsFields || asksNode(this.rawHeaders) ? get.call(this) : NO_FIELDS;
    },
  });
}

/** Whether a field is there that Node's server itself acts on. */
function asksNode(raw: readonly string[]): boolean {
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? '';
    if (name.length === 6 && name.toLowerCase() === 'expect') return true;
    if (name.length === 7 && name.toLowerCase() === 'upgrade') return true;
  }
  return false;
}
