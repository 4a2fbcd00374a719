// Relations: whom somebody follows, blocks or mutes, and where a performer is not to be seen.
import { sql } from 'drizzle-orm';
import type { z } from 'zod';
import {
  CountryBlocks,
  type RelationKind,
  RelationList,
  Revocation,
  relationsMax,
} from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

interface Relation {
  fromId: string;
  kind: RelationKind;
  toId: string;
}

/**
 * Lets somebody follow, block or mute somebody else; again is no other than once. A block ends following both ways.
 * Refuses `not-found`, `blocked`, `invalid-request`, `too-many`, `account-banned`.
 */
export async function relate(db: Db, { fromId, kind, toId }: Relation): Promise<Revocation[]> {
  return callFunction(
    db,
    sql`select relate(${fromId}, ${kind}, ${toId}, ${relationsMax[kind]}) as result`,
    Revocation.array(),
  );
}

/** Takes that back. Answers what is revoked. */
export async function unrelate(db: Db, { fromId, kind, toId }: Relation): Promise<Revocation[]> {
  return callFunction(
    db,
    sql`select unrelate(${fromId}, ${kind}, ${toId}) as result`,
    Revocation.array(),
  );
}

/** Those whom somebody follows, blocks or mutes; who joined last comes first. */
export async function listRelations(
  db: Db,
  of: { fromId: string; kind: RelationKind },
  page: { before?: string | undefined; limit: number },
): Promise<RelationList['people']> {
  return callFunction(
    db,
    sql`select relations_of(${of.fromId}, ${of.kind}, ${page.before ?? null}, ${page.limit}) as result`,
    RelationList.shape.people,
  );
}

export async function readCountryBlocks(
  db: Db,
  performerId: string,
): Promise<z.infer<typeof CountryBlocks>> {
  return callFunction(db, sql`select country_blocks_of(${performerId}) as result`, CountryBlocks);
}

/** All countries in which a performer is not to be seen. Answers what is revoked where one is added. */
export async function setCountryBlocks(
  db: Db,
  performerId: string,
  countries: readonly string[],
): Promise<Revocation[]> {
  return callFunction(
    db,
    sql`select set_country_blocks(${performerId}, ${JSON.stringify(countries)}::jsonb) as result`,
    Revocation.array(),
  );
}
