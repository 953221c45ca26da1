/** Largest reply as a whole: the largest that is asked for is a batch of records. */
const LONGEST_REPLY_BYTES = 64 * 1024 * 1024;
const LONGEST_LINE_BYTES = 64 * 1024;
/** Elements of one reply, those of inner arrays included. The library reserves memory for an array before it has come. */
const MOST_ELEMENTS = 1024 * 1024;
const DEEPEST_ARRAY = 16;
const MOST_DIGITS = 19;

const [CR, LF, MINUS, PLUS, ZERO, NINE] = [0x0d, 0x0a, 0x2d, 0x2b, 0x30, 0x39];
const [STRING, ERROR, INTEGER, BULK, ARRAY] = [0x2b, 0x2d, 0x3a, 0x24, 0x2a];

/** The chunk ended before the reply did. */
export const PARTIAL = -1;
/** These bytes are no reply of RESP2, or one that is larger than any that is asked for. */
export const BROKEN = -2;
/** What a step returns where the bytes are no reply; else how many it took, negative where an element ended with them. */
const NO_REPLY = 0;

/** Finds where replies of RESP2 end in the bytes of one connection. */
export class ReplyScanner {
  /** Elements that are still missing, of every array that is open. */
  readonly #open: number[] = [];
  /** Type whose line is being read; 0 between elements. */
  #type = 0;
  #lineBytes = 0;
  /** The number of this line, its digits so far, and its sign. */
  #number = 0;
  #digits = 0;
  #isSigned = false;
  #isNegative = false;
  /** The last byte was a CR, and belongs to the end of a line. */
  #endsLine = false;
  /** Bytes of a bulk that are still missing, its CR and LF included; -1 outside of one. */
  #missing = -1;
  #replyBytes = 0;
  #elements = 0;

  /** Whether a reply has begun and not ended. */
  get isWithin(): boolean {
    return this.#replyBytes > 0;
  }

  /** The index behind the first reply that ends in `chunk` at or after `from`, or `PARTIAL`, or `BROKEN`. */
  next(chunk: Uint8Array, from: number): number {
    let at = from;
    while (at < chunk.length) {
      const step = this.#missing >= 0 ? this.#skip(chunk, at) : this.#read(chunk[at] ?? 0);
      if (step === NO_REPLY) return BROKEN;
      at += Math.abs(step);
      this.#replyBytes += Math.abs(step);
      if (this.#replyBytes > LONGEST_REPLY_BYTES) return BROKEN;
      if (step > 0 || !this.#closeElement()) continue;
      this.#replyBytes = 0;
      this.#elements = 0;
      return at;
    }
    return PARTIAL;
  }

  /** Skips what has come of a bulk. */
  #skip(chunk: Uint8Array, at: number): number {
    const taken = Math.min(this.#missing, chunk.length - at);
    for (let left = Math.min(2, this.#missing); left > this.#missing - taken; left--)
      if (chunk[at + this.#missing - left] !== (left === 2 ? CR : LF)) return NO_REPLY;
    this.#missing -= taken;
    if (this.#missing > 0) return taken;
    this.#missing = -1;
    return -taken;
  }

  /** Reads one byte of a type or of a line. */
  #read(byte: number): number {
    if (this.#type === 0) return this.#begin(byte);
    if (this.#endsLine) return byte === LF ? this.#endLine() : NO_REPLY;
    if (byte === CR) {
      this.#endsLine = true;
      return 1;
    }
    if (++this.#lineBytes > LONGEST_LINE_BYTES || byte === LF) return NO_REPLY;
    if (this.#type === STRING || this.#type === ERROR) return 1;
    return this.#readDigit(byte);
  }

  #begin(type: number): number {
    if (type !== STRING && type !== ERROR && type !== INTEGER && type !== BULK && type !== ARRAY) return NO_REPLY;
    if (++this.#elements > MOST_ELEMENTS) return NO_REPLY;
    [this.#type, this.#lineBytes, this.#number, this.#digits] = [type, 0, 0, 0];
    this.#isSigned = this.#isNegative = this.#endsLine = false;
    return 1;
  }

  #readDigit(byte: number): number {
    if (byte >= ZERO && byte <= NINE) {
      this.#number = this.#number * 10 + byte - ZERO;
      return ++this.#digits > MOST_DIGITS ? NO_REPLY : 1;
    }
    const isSign = byte === MINUS || (byte === PLUS && this.#type === INTEGER);
    if (!isSign || this.#isSigned || this.#digits > 0) return NO_REPLY;
    this.#isSigned = true;
    this.#isNegative = byte === MINUS;
    return 1;
  }

  #endLine(): number {
    const [type, number] = [this.#type, this.#number];
    this.#type = 0;
    this.#endsLine = false;
    if (type === STRING || type === ERROR) return -1;
    if (this.#digits === 0) return NO_REPLY;
    if (type === INTEGER) return -1;
    if (this.#isNegative) return number === 1 && this.#digits === 1 ? -1 : NO_REPLY;
    if (type === BULK) {
      this.#missing = number + 2;
      return number > LONGEST_REPLY_BYTES ? NO_REPLY : 1;
    }
    if (number === 0) return -1;
    this.#open.push(number);
    return number > MOST_ELEMENTS || this.#open.length > DEEPEST_ARRAY ? NO_REPLY : 1;
  }

  /** Counts an element that ended; true where the whole reply ended with it. */
  #closeElement(): boolean {
    for (let top = this.#open.pop(); top !== undefined; top = this.#open.pop()) {
      if (top > 1) {
        this.#open.push(top - 1);
        return false;
      }
    }
    return true;
  }
}
