/** The three questions that a verification answers, each with a verdict of its own. */
export type Question = 'integrity' | 'completeness' | 'order';

/** What can be wrong with an archive. */
export type FindingKind =
  /** Integrity: something is there, and it is not what was written. */
  | 'batch_altered'
  | 'batch_foreign'
  | 'manifest_altered'
  | 'manifest_forged'
  | 'manifest_replaced'
  | 'anchor_altered'
  | 'anchor_forged'
  /** Completeness: something was written, and it is not there. */
  | 'batch_missing'
  | 'manifest_missing'
  | 'record_missing'
  | 'entries_skipped'
  | 'tail_missing'
  | 'writer_missing'
  | 'anchor_missing'
  /** Order: something stands where it does not belong. */
  | 'batch_misplaced'
  | 'manifest_misplaced'
  | 'record_misplaced'
  | 'anchor_misplaced';

const questions: Readonly<Record<FindingKind, Question>> = {
  batch_altered: 'integrity',
  batch_foreign: 'integrity',
  manifest_altered: 'integrity',
  manifest_forged: 'integrity',
  manifest_replaced: 'integrity',
  anchor_altered: 'integrity',
  anchor_forged: 'integrity',
  batch_missing: 'completeness',
  manifest_missing: 'completeness',
  record_missing: 'completeness',
  entries_skipped: 'completeness',
  tail_missing: 'completeness',
  writer_missing: 'completeness',
  anchor_missing: 'completeness',
  batch_misplaced: 'order',
  manifest_misplaced: 'order',
  record_misplaced: 'order',
  anchor_misplaced: 'order',
};

/** One piece that is missing, altered, misplaced or forged, by name. */
export interface Finding {
  readonly question: Question;
  readonly kind: FindingKind;
  readonly writer: string | null;
  readonly sequence: number | null;
  /** Object that shows it. */
  readonly key: string | null;
  readonly detail: string;
}

/** What is told of a manifest or an anchor whose signature does not count. */
export const FORGED = 'not signed by a known key, or by a revoked one that had not signed it';

export interface Findings {
  add(kind: FindingKind, at: { writer?: string; sequence?: number; key?: string }, detail: string): void;
  readonly list: readonly Finding[];
  /** Findings that were counted and not kept. */
  leftOut(): number;
  verdict(question: Question): 'intact' | 'violated';
}

/** Collects findings and keeps the first `maximum` of them, so that a ruined archive cannot exhaust memory. */
export function createFindings(maximum = 1000): Findings {
  const list: Finding[] = [];
  const violated = new Set<Question>();
  let leftOut = 0;
  return {
    add(kind, { writer, sequence, key }, detail) {
      const question = questions[kind];
      violated.add(question);
      if (list.length >= maximum) leftOut++;
      else list.push({ question, kind, writer: writer ?? null, sequence: sequence ?? null, key: key ?? null, detail });
    },
    list,
    leftOut: () => leftOut,
    verdict: (question) => (violated.has(question) ? 'violated' : 'intact'),
  };
}
