// People for tests of money over HTTP: made in the database at once, with access tokens that the edge itself signs.
import { randomUUID } from 'node:crypto';
import type { CreateStreamBody, Me, Role } from '#contract';
import { createStream, tip, tipMany, tipsPerCallMax, transitionStream } from '#db';
import { newKey, type TestEdge } from '../../testing/edge.ts';
import { createMoneyCast } from '../../testing/money.ts';

export interface Member {
  id: string;
  username: string;
  token: string;
  call: TestEdge['call'];
  /** A request that needs an idempotency key; a new one unless it is given. */
  act(method: string, path: string, body?: unknown, key?: string): ReturnType<TestEdge['call']>;
}

export type Cast = ReturnType<typeof createCast>;

export function createCast(edge: TestEdge) {
  const { database } = edge;
  const { db } = database;
  const money = createMoneyCast(database);

  /** Somebody who has shown a second factor just now, or when it is said. */
  async function asMember(
    user: Pick<Me, 'id' | 'username' | 'role'>,
    secondFactorAt: Date | null = edge.parts.deps.now(),
  ): Promise<Member> {
    const { token } = await edge.parts.deps.signer.accessToken({
      userId: user.id,
      username: user.username,
      role: user.role,
      sessionId: randomUUID(),
      revision: await edge.parts.deps.revocations.known(),
      secondFactorAt,
    });
    const call: TestEdge['call'] = (method, path, options = {}) =>
      edge.call(method, path, {
        ...options,
        headers: { authorization: `Bearer ${token}`, ...options.headers },
      });
    return {
      id: user.id,
      username: user.username,
      token,
      call,
      act: (method, path, body, key = newKey()) =>
        call(method, path, {
          ...(body === undefined ? {} : { body }),
          headers: { 'idempotency-key': key },
        }),
    };
  }

  const member = async (role: Role = 'viewer') => asMember(await money.person(role));
  let pans = 0;

  const self = {
    ...money,
    asMember,
    member,

    /** A PAN that nobody has given; it is shown as QRS••••••U. */
    newPan(): string {
      pans += 1;
      return `QRSPT${String(pans).padStart(4, '0')}U`;
    },

    /** A viewer with the tokens of one package, by its place in the list: 50, 100, 250, 500, 1200, 3000. */
    async fan(packageIndex = 0): Promise<Member & { tokens: number; gatewayPaymentId: string }> {
      const made = await member();
      const order = await money.orderOf(made.id, packageIndex);
      const gatewayPaymentId = await money.pay(order);
      return { ...made, tokens: order.tokens, gatewayPaymentId };
    },

    /** An order over HTTP: the gateway knows it. */
    async order(buyer: Member, packageIndex = 0) {
      const { body } = await edge.call('GET', '/v1/payments/packages');
      const packageId: string = body.packages[packageIndex].id;
      const answer = await buyer.act('POST', '/v1/payments/orders', { packageId });
      if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
      return answer.body as {
        id: string;
        gatewayOrderId: string;
        tokens: number;
        amountPaise: number;
      };
    },

    async live(
      performer?: Member,
      stream: Partial<CreateStreamBody> = {},
    ): Promise<{ performer: Member; streamId: string }> {
      const who = performer ?? (await member('performer'));
      const said = { title: 'A stream', category: 'music', ...stream } as const;
      const { id: streamId } = await createStream(db, who.id, said, newKey());
      await transitionStream(db, streamId, 'starting');
      await transitionStream(db, streamId, 'live');
      return { performer: who, streamId };
    },

    tip: (viewerId: string, streamId: string, amountTokens: number) =>
      tip(db, {
        viewerId,
        streamId,
        amountTokens,
        message: '',
        anonymous: false,
        idempotencyKey: newKey(),
      }),

    /** So many tips of one token. */
    async tipOften(viewerId: string, streamId: string, times: number): Promise<void> {
      for (let made = 0; made < times; made += tipsPerCallMax) {
        const requests = Array.from({ length: Math.min(tipsPerCallMax, times - made) }, () => ({
          viewerId,
          streamId,
          amountTokens: 1,
          message: '',
          anonymous: false,
          idempotencyKey: newKey(),
        }));
        await tipMany(db, requests);
      }
    },

    /** Gives performers earnings that they can ask for, by an adjustment that two of the staff agree on. */
    async earn(performerIds: readonly string[], paise: number): Promise<void> {
      const [one, other] = [await member('admin'), await member('admin')];
      for (const ownerId of performerIds) {
        const proposed = await one.act('POST', '/v1/admin/adjustments', {
          reason: 'earnings for a test',
          lines: [
            { class: 'platform_revenue', ownerId: null, amount: paise },
            { class: 'performer_available', ownerId, amount: -paise },
          ],
        });
        const decided = await other.call(
          'POST',
          `/v1/admin/adjustments/${proposed.body.id}/decision`,
          { body: { approve: true } },
        );
        if (decided.body.state !== 'approved') throw new Error(JSON.stringify(decided.body));
      }
    },

    /** What of an actor smelled of fraud, oldest first. */
    async suspicions(actorId: string): Promise<string[]> {
      const rows = await database.asOwner<{ action: string }>(
        `select action from audit_log where actor_id = $1 and action like 'suspicion.%' order by id`,
        [actorId],
      );
      return rows.map(({ action }) => action.replace('suspicion.', ''));
    },

    /** Open cases of a subject, by kind. */
    async cases(subject: string): Promise<string[]> {
      const rows = await database.asOwner<{ kind: string }>(
        `select kind from cases where subject = $1 and state = 'open' order by kind`,
        [subject],
      );
      return rows.map(({ kind }) => kind);
    },
  };
  return self;
}

/** Status and code of a refusal, for one comparison. */
export const refused = (answer: { status: number; body: { code?: string } }) => [
  answer.status,
  answer.body.code,
];
