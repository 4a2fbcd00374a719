// Refusals: what the origin answers when it cannot or may not serve, as problem documents (RFC 9457).
import { type ProblemCode, type ProblemDocument, problemStatus, problemTitle } from '#contract';

/** An expected refusal; thrown by whatever finds the reason, answered in one place. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly code: ProblemCode;

  constructor(code: ProblemCode, detail: string) {
    super(detail);
    this.code = code;
  }

  get status(): number {
    return problemStatus(this.code);
  }

  document(): ProblemDocument {
    return {
      type: 'about:blank',
      code: this.code,
      title: problemTitle(this.code),
      status: this.status,
      detail: this.message,
    };
  }
}
