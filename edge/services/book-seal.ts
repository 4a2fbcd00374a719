// The seal of the books: signs checkpoints of the chain with keys that the database does not know.
import { CompactSign, compactVerify, importJWK } from 'jose';
import { z } from 'zod';
import { type PublicCheckpoint, ticketAlgorithm } from '#contract';
import { ChainEnd } from '#db';
import { sha256 } from './secrets.ts';

const Key = z.looseObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: z.string().min(1),
  x: z.string(),
  d: z.string().optional(),
});

/** What is signed: the end of the chain, and of the totals of the house no more than their hash. */
const Signed = ChainEnd.omit({ trialBalance: true }).extend({ totalsHash: z.string() });
type Signed = z.infer<typeof Signed>;

type TrialBalance = ChainEnd['trialBalance'];

export interface BookSeal {
  sign(end: ChainEnd): Promise<{ signature: string; keyId: string }>;
  /** What is wrong with a checkpoint's signature, or with its totals where it has them; null when it is good. */
  faultOf(checkpoint: PublicCheckpoint & { trialBalance?: TrialBalance }): Promise<string | null>;
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
      const { block, position, hash, trialBalance } = end;
      const totalsHash = await hashOf(trialBalance);
      const signed: Signed = { block, position, hash, totalsHash };
      const signature = await new CompactSign(new TextEncoder().encode(JSON.stringify(signed)))
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
        const signed = Signed.parse(JSON.parse(new TextDecoder().decode(payload)));
        const { trialBalance } = checkpoint;
        const totalsFit = !trialBalance || signed.totalsHash === (await hashOf(trialBalance));
        return sameEnd(signed, checkpoint) && totalsFit ? null : 'it differs from what was signed';
      } catch {
        return 'its signature is not good';
      }
    },
  };
}

function sameEnd(signed: Signed, kept: PublicCheckpoint): boolean {
  return (
    signed.block === kept.block && signed.position === kept.position && signed.hash === kept.hash
  );
}

/** SHA-256 in hexadecimal over the totals in the order of their names. */
async function hashOf(totals: TrialBalance): Promise<string> {
  const sorted = Object.entries(totals).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const bytes = await sha256(JSON.stringify(sorted));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
