// An invoice as it is printed, from what the database knows of it.
import type { InvoiceFacts } from '#db';
import type { InvoiceDocument } from './invoice.ts';

export function presentInvoice(facts: InvoiceFacts): InvoiceDocument {
  return {
    number: facts.number,
    kind: facts.kind,
    issuedAt: new Date(facts.issuedAt),
    seller: facts.seller,
    buyer: facts.buyer,
    lines: [
      {
        description: `${facts.packageName}: viewer tokens`,
        tokens: facts.tokens,
        netPaise: facts.netPaise,
      },
    ],
    netPaise: facts.netPaise,
    gstRateBp: facts.gstRateBp,
    gstPaise: facts.gstPaise,
    totalPaise: facts.totalPaise,
    paidBy: {
      gatewayPaymentId: facts.gatewayPaymentId,
      method: facts.method,
      capturedAt: new Date(facts.capturedAt),
    },
    ...(facts.original
      ? {
          original: {
            number: facts.original.number,
            issuedAt: new Date(facts.original.issuedAt),
          },
        }
      : {}),
  };
}
