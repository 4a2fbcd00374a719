// The seal of the books: signs checkpoints of the chain with keys that the database does not know.
import { CompactSign, compactVerify, importJWK } from 'jose';
import { z } from 'zod';
import { type Checkpoint, ticketAlgorithm } from '#contract';
import { ChainEnd } from '#db';

const Key = z.looseObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: z.string().min(1),
  x: z.string(),
  d: z.string().optional(),
});

export interface BookSeal {
  sign(end: ChainEnd): Promise<{ signature: string; keyId: string }>;
  /** What is wrong with a checkpoint's signature; null when it is good. */
  faultOf(checkpoint: Checkpoint): Promise<string | null>;
}

/**
 * `keysJson` (`LEDGER_KEYS`) is a JSON array of Ed25519 JWKs. The first signs and must be private; those of
 * before stay in the list, public halves are enough, for as long as their checkpoints are to be verified.
 */
export async function createBookSeal(keysJson: string): Promise<BookSeal> {
  const keys = z.array(Key).min(1).parse(JSON.parse(keysJson));
  const [first] = keys;
  if (!first?.d) throw new Error('the first of LEDGER_KEYS must be a private key');
  const { kty, crv, x, d } = first;
  const signingKey = await importJWK({ kty, crv, x, d }, ticketAlgorithm);
  const verifyKeys = new Map(
    await Promise.all(
      keys.map(
        async (key) =>
          [
            key.kid,
            await importJWK({ kty: key.kty, crv: key.crv, x: key.x }, ticketAlgorithm),
          ] as const,
      ),
    ),
  );

  return {
    async sign(end) {
      const payload = new TextEncoder().encode(JSON.stringify(end));
      const signature = await new CompactSign(payload)
        .setProtectedHeader({ alg: ticketAlgorithm, kid: first.kid, typ: 'checkpoint' })
        .sign(signingKey);
      return { signature, keyId: first.kid };
    },

    async faultOf(checkpoint) {
      const key = verifyKeys.get(checkpoint.keyId);
      if (!key) return `it names the key ${checkpoint.keyId}, which is not known here`;
      try {
        const { payload } = await compactVerify(checkpoint.signature, key, {
          algorithms: [ticketAlgorithm],
        });
        const signed = ChainEnd.parse(JSON.parse(new TextDecoder().decode(payload)));
        return sameEnd(signed, checkpoint) ? null : 'it differs from what was signed';
      } catch {
        return 'its signature is not good';
      }
    },
  };
}

function sameEnd(signed: ChainEnd, kept: Checkpoint): boolean {
  return (
    signed.block === kept.block &&
    signed.position === kept.position &&
    signed.hash === kept.hash &&
    sameBalance(signed.trialBalance, kept.trialBalance)
  );
}

function sameBalance(left: ChainEnd['trialBalance'], right: ChainEnd['trialBalance']): boolean {
  const sorted = (balance: ChainEnd['trialBalance']) =>
    JSON.stringify(Object.entries(balance).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return sorted(left) === sorted(right);
}
