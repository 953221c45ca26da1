/** Places for connections to one origin: beyond them requests wait in their order. */
export interface ConnectionSlots {
  /** Resolves once there is a place; rejects when the signal aborts first. */
  take(signal: AbortSignal): Promise<void>;
  release(): void;
}

/** Makes the places. An aborted request leaves the queue at once, which the queue of Node's agent does not allow. */
export function createConnectionSlots(maximum: number): ConnectionSlots {
  let free = maximum;
  const waiting = new Set<() => void>();
  return {
    take(signal) {
      if (signal.aborted) return Promise.reject(new Error('aborted'));
      if (free > 0) {
        free--;
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => {
        const go = () => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = () => {
          waiting.delete(go);
          reject(new Error('aborted'));
        };
        signal.addEventListener('abort', leave, { once: true });
        waiting.add(go);
      });
    },
    release() {
      const [next] = waiting;
      if (next === undefined) free++;
      else {
        waiting.delete(next);
        next();
      }
    },
  };
}
