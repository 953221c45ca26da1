/** A sentence of the posture report, with how it should be taken. */
export interface PostureLine {
  readonly kind: 'enforced' | 'weak' | 'attack';
  readonly text: string;
}

/** The three ways to say a sentence of the report. */
export type Say = Readonly<Record<PostureLine['kind'], (text: string) => void>>;
