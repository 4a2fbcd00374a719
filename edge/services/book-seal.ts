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

/** As much of a checkpoint as a witness keeps. */
export type SignedEnd = Omit<PublicCheckpoint, 'createdAt'>;

export interface SealVerifier {
  /** What is wrong with a checkpoint's signature, or with its totals where it has them; null when it is good. */
  faultOf(checkpoint: SignedEnd & { trialBalance?: TrialBalance }): Promise<string | null>;
}

export interface BookSeal extends SealVerifier {
  sign(end: ChainEnd): Promise<{ signature: string; keyId: string }>;
}

/**
 * `keysJson` (`LEDGER_KEYS`) is a JSON array of Ed25519 JWKs. The first signs and must be private; those of
 * before stay in the list, public halves are enough, for as long as their checkpoints are to be verified.
 */
export async function createBookSeal(keysJson: string): Promise<BookSeal> {
  const [first] = readKeys(keysJson);
  if (!first?.d) throw new Error('the first of LEDGER_KEYS must be a private key');
  const { kty, crv, x, d, kid } = first;
  const signingKey = await importJWK({ kty, crv, x, d }, ticketAlgorithm);
  return {
    ...(await createSealVerifier(keysJson)),
    async sign(end) {
      const { block, position, hash, trialBalance } = end;
      const totalsHash = await hashOf(trialBalance);
      const signed: Signed = { block, position, hash, totalsHash };
      const signature = await new CompactSign(new TextEncoder().encode(JSON.stringify(signed)))
        .setProtectedHeader({ alg: ticketAlgorithm, kid, typ: 'checkpoint' })
        .sign(signingKey);
      return { signature, keyId: kid };
    },
  };
}

/** For whoever only verifies: of every key in `keysJson` the public half is enough. */
export async function createSealVerifier(keysJson: string): Promise<SealVerifier> {
  const verifyKeys = new Map(
    await Promise.all(
      readKeys(keysJson).map(
        async ({ kid, kty, crv, x }) =>
          [kid, await importJWK({ kty, crv, x }, ticketAlgorithm)] as const,
      ),
    ),
  );
  return {
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

const readKeys = (keysJson: string) => z.array(Key).min(1).parse(JSON.parse(keysJson));

function sameEnd(signed: Signed, kept: SignedEnd): boolean {
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
