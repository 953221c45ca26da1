import { Duplex } from 'node:stream';
import { asksSlotTable, isUsable } from './cluster-replies.ts';
import { BROKEN, PARTIAL, ReplyScanner } from './reply-scanner.ts';

/** How the bytes of one connection are judged. */
export interface StreamRules {
  readonly secure: boolean;
  readonly cluster: boolean;
  /** How long the connection may take to be made, TLS included. */
  readonly connectMs: number;
  /** How long a reply may take from its first byte to its last. */
  readonly replyMs: number;
}

interface Connecting extends Duplex {
  setNoDelay?(on: boolean): unknown;
}

/**
 * A connection to Redis as ioredis gets it: whole replies of RESP2 to commands that were sent, and nothing else. ioredis ends
 * the process where a push or an unasked null comes, reserves memory for arrays before they have come, and gives a reply that
 * nobody asked for to the next command. A connection that brings such bytes is closed before ioredis has seen them.
 */
export class RedisStream extends Duplex {
  /** Read by ioredis, which then waits for `connect` or `secureConnect`. */
  connecting = true;
  readonly #socket: Connecting;
  readonly #rules: StreamRules;
  readonly #scanner = new ReplyScanner();
  /** Commands are waiting for the event loop to turn. */
  #gathers = false;
  /** Commands that were sent, replies that came, and which commands asked a cluster for its table of slots. */
  #sent = 0;
  #replied = 0;
  readonly #slotTables = new Set<number>();
  /** What has come of a reply of a cluster. */
  #held: Uint8Array[] = [];
  #sinceMs = 0;

  constructor(socket: Connecting, rules: StreamRules) {
    super({ decodeStrings: false });
    this.#socket = socket;
    this.#rules = rules;
    const timer = setTimeout(() => this.destroy(new Error('the connection took too long')), rules.connectMs).unref();
    const event = rules.secure ? 'secureConnect' : 'connect';
    socket.once(event, () => {
      clearTimeout(timer);
      this.connecting = false;
      socket.setNoDelay?.(true);
      this.emit(event);
    });
    socket.on('data', (chunk: Uint8Array) => this.#take(chunk));
    socket.on('error', (error) => this.destroy(error));
    socket.once('end', () => this.destroy());
    socket.once('close', () => {
      clearTimeout(timer);
      this.destroy();
    });
  }

  override _write(chunk: string | Uint8Array, encoding: BufferEncoding, done: () => void): void {
    if (this.#rules.cluster && asksSlotTable(chunk)) this.#slotTables.add(this.#sent);
    this.#sent += 1;
    this.#gather();
    this.#socket.write(chunk, encoding);
    done();
  }

  /** What is written while the event loop sees to everything that has come goes out at once: requests come many together. */
  #gather(): void {
    if (this.#gathers) return;
    this.#gathers = true;
    this.#socket.cork();
    setImmediate(() => {
      this.#gathers = false;
      this.#socket.uncork();
    });
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _final(done: () => void): void {
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  /** Called by ioredis; what it wants is set here or by the agent. */
  setKeepAlive(): this {
    return this;
  }

  #take(chunk: Uint8Array): void {
    const repliedBefore = this.#replied;
    const wasWithin = this.#scanner.isWithin;
    for (let at = 0; at < chunk.length; ) {
      const end = this.#replied === this.#sent ? BROKEN : this.#scanner.next(chunk, at);
      if (end === PARTIAL) {
        if (this.#rules.cluster) this.#held.push(chunk.subarray(at));
        break;
      }
      if (end === BROKEN || !this.#isUsable(chunk, at, end)) {
        this.#giveUp(chunk, at);
        return;
      }
      this.#replied += 1;
      at = end;
    }
    if (!this.#rules.cluster && !this.destroyed && !this.push(chunk)) this.#socket.pause();
    this.#watchTime(wasWithin && this.#replied === repliedBefore);
  }

  /** Judges a whole reply of a cluster, and passes it on. */
  #isUsable(chunk: Uint8Array, from: number, end: number): boolean {
    if (!this.#rules.cluster) return true;
    const last = chunk.subarray(from, end);
    const reply = this.#held.length === 0 ? last : Buffer.concat([...this.#held.splice(0), last]);
    if (!isUsable(reply, this.#slotTables.delete(this.#replied))) return false;
    this.push(reply);
    return true;
  }

  /** Passes on the whole replies in front of `at`, then closes. */
  #giveUp(chunk: Uint8Array, at: number): void {
    if (!this.#rules.cluster && at > 0) this.push(chunk.subarray(0, at));
    this.destroy(new Error('no reply of RESP2 to a command'));
  }

  #watchTime(isSameReply: boolean): void {
    if (!this.#scanner.isWithin) return;
    const nowMs = performance.now();
    if (!isSameReply) this.#sinceMs = nowMs;
    else if (nowMs - this.#sinceMs > this.#rules.replyMs) this.destroy(new Error('a reply without end'));
  }
}
