// Refusals in Razorpay's error shape.

export interface ErrorBody {
  error: {
    code: string;
    description: string;
    source: string;
    step: string;
    reason: string;
    metadata: Record<string, string>;
    field?: string;
  };
}

type RefusalStatus = 400 | 401 | 409 | 413 | 429 | 500 | 502 | 503 | 504;

/** A refusal that the API answers with `status` and Razorpay's error document. */
export class GatewayRefusal extends Error {
  readonly status: RefusalStatus;
  readonly body: ErrorBody;

  constructor(status: RefusalStatus, error: Partial<ErrorBody['error']> & { description: string }) {
    super(error.description);
    this.status = status;
    this.body = {
      error: {
        code: 'BAD_REQUEST_ERROR',
        source: 'NA',
        step: 'NA',
        reason: 'NA',
        metadata: {},
        ...error,
      },
    };
  }
}

/** A field of a request that does not fit. */
export function badField(field: string, description: string): GatewayRefusal {
  return new GatewayRefusal(400, {
    description,
    field,
    source: 'business',
    step: 'payment_initiation',
    reason: 'input_validation_failed',
  });
}

/** An id that names nothing. */
export function unknownId(): GatewayRefusal {
  return new GatewayRefusal(400, {
    description: 'The id provided does not exist',
    source: 'business',
    step: 'payment_initiation',
    reason: 'input_validation_failed',
  });
}
