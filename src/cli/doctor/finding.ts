/** One thing that was looked at. */
export interface Finding {
  /** `note`: worth knowing, and nothing to do now. */
  readonly verdict: 'ok' | 'note' | 'wrong';
  readonly what: string;
  /** What to do about it. */
  readonly next?: string;
}

export const ok = (what: string): Finding => ({ verdict: 'ok', what });
export const note = (what: string, next: string): Finding => ({ verdict: 'note', what, next });
export const wrong = (what: string, next: string): Finding => ({ verdict: 'wrong', what, next });
