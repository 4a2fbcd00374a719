// RazorpayX contacts: the people who are paid.
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { newEntityId } from '../entity-id.ts';
import { createEntityStore, type ListQuery, page } from '../entity-store.ts';
import { Notes, parseNotes, parseText, requireText } from '../fields.ts';
import { badField } from '../refusal.ts';

const contactsMax = 20_000;
const nameCharsMax = 50;
const typeCharsMax = 40;
const referenceCharsMax = 40;

export const ContactEntity = z.object({
  id: z.string(),
  entity: z.literal('contact'),
  name: z.string(),
  contact: z.string().nullable(),
  email: z.string().nullable(),
  type: z.string().nullable(),
  reference_id: z.string().nullable(),
  batch_id: z.null(),
  active: z.boolean(),
  notes: Notes,
  created_at: z.int(),
});
export type ContactEntity = z.infer<typeof ContactEntity>;

export type ContactRequest = Pick<
  ContactEntity,
  'name' | 'contact' | 'email' | 'type' | 'reference_id' | 'notes'
>;

export interface ContactFilter {
  name?: string | undefined;
  email?: string | undefined;
  contact?: string | undefined;
  reference_id?: string | undefined;
}

export type Contacts = ReturnType<typeof createContacts>;

export function createContacts(options: { contacts: readonly ContactEntity[]; clock: Clock }) {
  const byDetails = new Map<string, string>();
  const store = createEntityStore({
    max: contactsMax,
    entities: options.contacts,
    forget: (contact) => byDetails.delete(detailsOf(contact)),
  });
  for (const contact of options.contacts) byDetails.set(detailsOf(contact), contact.id);

  return {
    /** The same details lead to the contact that has them already. */
    create(request: ContactRequest): ContactEntity {
      const known = store.find(byDetails.get(detailsOf(request)) ?? '');
      if (known) return known;
      const contact: ContactEntity = {
        id: newEntityId('cont'),
        entity: 'contact',
        name: request.name,
        contact: request.contact,
        email: request.email,
        type: request.type,
        reference_id: request.reference_id,
        batch_id: null,
        active: true,
        notes: request.notes,
        created_at: options.clock.nowSeconds(),
      };
      store.add(contact);
      byDetails.set(detailsOf(contact), contact.id);
      return contact;
    },
    contact: (id: string): ContactEntity => store.get(id),
    list(filter: ContactFilter, query: ListQuery): ContactEntity[] {
      const wanted = Object.entries(filter).filter(([, value]) => value !== undefined);
      const fits = (contact: ContactEntity) =>
        wanted.every(([field, value]) => Reflect.get(contact, field) === value);
      return page(store.all().filter(fits), query);
    },
    state: (): ContactEntity[] => store.all(),
  };
}

/** The fields that make a contact another one. */
function detailsOf({ name, contact, email, type, reference_id }: ContactRequest): string {
  return JSON.stringify([name, contact, email, type, reference_id]);
}

const unknown = z.unknown().optional();
const Body = z
  .looseObject({
    name: unknown,
    contact: unknown,
    email: unknown,
    type: unknown,
    reference_id: unknown,
    notes: unknown,
  })
  .catch({});

/**
 * The body of `POST /v1/contacts`.
 * @throws GatewayRefusal that names the first field that does not fit.
 */
export function parseContactRequest(json: unknown): ContactRequest {
  const body = Body.parse(json);
  const name = requireText('name', body.name, nameCharsMax);
  if (!/^[A-Za-z0-9][A-Za-z0-9 '’&._/()-]{2,}$/.test(name)) {
    throw badField('name', 'The name format is invalid.');
  }
  const email = parseText('email', body.email, 254);
  if (email !== null && !z.email().safeParse(email).success) {
    throw badField('email', 'The email must be a valid email address.');
  }
  const contact = body.contact === undefined ? null : String(body.contact);
  if (contact !== null && !/^\+?\d{8,15}$/.test(contact)) {
    throw badField('contact', 'The contact format is invalid.');
  }
  return {
    name,
    contact,
    email,
    type: parseText('type', body.type, typeCharsMax),
    reference_id: parseText('reference_id', body.reference_id, referenceCharsMax),
    notes: parseNotes(body.notes),
  };
}
