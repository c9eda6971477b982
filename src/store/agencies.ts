/** Agencies. What identifies one is the public key of its client certificate, not a name in the certificate. */
import type { Queryable, Tx } from './pool.ts'

export type Agency = { id: string; name: string; title: { en: string; ko: string } }

/** The enabled agency whose certificate has this public key (SHA-256 of the SPKI), or undefined. */
export async function findAgencyByKey(
  db: Queryable,
  spkiSha256: Uint8Array,
): Promise<Agency | undefined> {
  const { rows } = await db.query<Agency>(
    `select agency_id as id, name, title from gyeol.agency
     where spki_sha256 = $1::bytea and disabled_at is null`,
    [spkiSha256],
  )
  return rows[0]
}

/** The ids of the agencies of these names; a name that is unknown is missing from the map. */
export async function agencyIdsOf(db: Queryable, names: string[]): Promise<Map<string, string>> {
  const { rows } = await db.query<{ name: string; id: string }>(
    'select name, agency_id as id from gyeol.agency where name = any($1::text[])',
    [names],
  )
  return new Map(rows.map((row) => [row.name, row.id]))
}

/** Name → what people call the agency. */
export async function agencyTitles(
  db: Queryable,
  names: string[],
): Promise<Record<string, Agency['title']>> {
  const { rows } = await db.query<Pick<Agency, 'name' | 'title'>>(
    'select name, title from gyeol.agency where name = any($1::text[]) order by name',
    [names],
  )
  return Object.fromEntries(rows.map(({ name, title }) => [name, title]))
}

/**
 * Registers an agency, or gives the one of that name a new certificate key.
 *
 * @returns false, and does nothing, if the key is another agency's.
 */
export async function saveAgency(
  tx: Tx,
  agency: Agency & { spkiSha256: Uint8Array },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into gyeol.agency (agency_id, name, title, spki_sha256)
     select $1::uuid, $2::text, $3::jsonb, $4::bytea
     where not exists (
       select from gyeol.agency where spki_sha256 = $4::bytea and name <> $2::text
     )
     on conflict (name) do update
     set title = excluded.title, spki_sha256 = excluded.spki_sha256, disabled_at = null`,
    [agency.id, agency.name, JSON.stringify(agency.title), agency.spkiSha256],
  )
  return rowCount === 1
}

/** True while the agency may act: asked again when a long upload ends. */
export async function isAgencyEnabled(db: Queryable, agencyId: string): Promise<boolean> {
  const { rows } = await db.query(
    'select 1 from gyeol.agency where agency_id = $1::uuid and disabled_at is null',
    [agencyId],
  )
  return rows.length === 1
}
