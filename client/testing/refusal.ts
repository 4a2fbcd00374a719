// A refusal of the edge, for tests.
import { type ProblemCode, problemStatus } from '#contract';
import { ApiError } from '../models/api-error.ts';

export function refusalOf(code: ProblemCode, details: Record<string, unknown> = {}): ApiError {
  const status = problemStatus(code);
  return new ApiError(code, status, { ...details, type: 'x', code, title: 'No', status }, 'No');
}
