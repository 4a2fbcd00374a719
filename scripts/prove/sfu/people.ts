// People of the proof: performers who are live, viewers with accounts, one of the staff, and what they ask of the edge.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { ProblemDocument, type Session, type TicketBody, TicketGrant } from '#contract';
import { ApiError } from '../../../client/models/api-error.ts';
import { createSigner } from '../../../edge/services/signer.ts';
import { makeCrowd } from '../../../testing/crowd.ts';
import { connectOwned } from '../../../testing/database.ts';
import { addressHeader, countryHeader, type Product } from './product.ts';

/** Access tokens live for ten minutes. */
const tokenAgeMsMax = 5 * 60_000;
const requestTimeoutMs = 15_000;

type Role = Session['user']['role'];

export interface Person {
  id: string;
  /** Where they are. */
  country: string;
  /** One request of theirs; throws an `ApiError` for every answer but a good one. */
  call(method: string, path: string, body?: unknown): Promise<unknown>;
}

export interface Performer extends Person {
  /** A stream of theirs that was never published before. */
  streamId: string;
}

export interface People {
  staff: Person;
  /** Hands out somebody who has done nothing yet. `country` is where they are. */
  nextPerformer(country: string): Performer;
  nextViewer(country: string): Person;
}

const Id = z.object({ id: z.uuid() });

export async function makePeople(
  { urls, secrets }: Pick<Product, 'urls' | 'secrets'>,
  size: { viewers: number; performers: number },
): Promise<People> {
  const crowd = await makeCrowd(urls.databaseOwner, { ...size, tokens: 100 });
  const database = connectOwned(urls.database, urls.databaseOwner);
  const name = `staff${randomUUID().slice(0, 8)}`;
  const [staff] = await database.asOwner(
    `insert into users (email, username, password_hash, date_of_birth, country, role, email_verified_at)
      values ($1 || '@example.com', $1, 'x', '1990-01-01', 'IN', 'admin', now()) returning id`,
    [name],
  );
  await database.close();
  const signer = await createSigner(JSON.stringify(secrets.signingKeys), () => new Date());
  let addresses = 0;

  function personOf(id: string, role: Role, country: string): Person {
    const sessionId = randomUUID();
    addresses += 1;
    // An address of their own, since requests are counted by it (RFC 3849).
    const address = `2001:db8:${(addresses >> 12).toString(16)}:${(addresses & 0xfff).toString(16)}::1`;
    let known: { token: string; atMs: number } | null = null;
    async function token(): Promise<string> {
      if (known && Date.now() - known.atMs < tokenAgeMsMax) return known.token;
      const signed = await signer.accessToken({
        ...{ userId: id, username: `p${id.slice(0, 8)}`, role, sessionId, revision: 0 },
        secondFactorAt: role === 'admin' ? new Date() : null,
      });
      known = { token: signed.token, atMs: Date.now() };
      return signed.token;
    }
    return {
      id,
      country,
      async call(method, path, body) {
        const answer = await fetch(`${urls.edge}/v1${path}`, {
          method,
          headers: {
            authorization: `Bearer ${await token()}`,
            [addressHeader]: address,
            [countryHeader]: country,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(requestTimeoutMs),
        }).catch((error: Error) => {
          throw new ApiError('network', 0, null, error.message);
        });
        const text = await answer.text();
        if (answer.ok) return text === '' ? null : JSON.parse(text);
        const problem = ProblemDocument.safeParse(JSON.parse(text)).data ?? null;
        throw new ApiError(problem?.code ?? 'internal', answer.status, problem, text);
      },
    };
  }

  const viewerIds = crowd.viewerIds.values();
  const performers = crowd.performerIds.entries();
  return {
    staff: personOf(Id.parse(staff).id, 'admin', 'IN'),
    nextPerformer(country) {
      const next = performers.next();
      if (next.done) throw new Error('there are no more performers');
      const [place, id] = next.value;
      return { ...personOf(id, 'performer', country), streamId: crowd.streamIds[place] ?? '' };
    },
    nextViewer(country) {
      const next = viewerIds.next();
      if (next.done) throw new Error('there are no more viewers');
      return personOf(next.value, 'viewer', country);
    },
  };
}

/** A ticket to the room of a stream. */
export async function askTicket(
  person: Person,
  streamId: string,
  body: TicketBody,
): Promise<TicketGrant> {
  return TicketGrant.parse(await person.call('POST', `/streams/${streamId}/tickets`, body));
}
