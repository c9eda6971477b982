/**
 * The parts of deliveries. Keys and tables have the same life; a part of keys has the empty table name,
 * one of notices `#notices`.
 */
import type { Queryable, Tx } from './pool.ts'

export type MediaType = 'text/csv' | 'application/vnd.apache.parquet'

/** Which part: a delivery, a table (empty for keys) and a number from 1. */
export type PartKey = { deliveryId: string; table: string; number: number }

/** How many rows were set aside for one reason, and the first line (CSV) or row (Parquet) of them, from 1. */
export type RowRefusals = Record<string, { rows: number; firstLine: number }>

export type Part = PartKey & {
  state: 'uploaded' | 'taken' | 'refused'
  mediaType: MediaType
  bytes: number
  sha256: Uint8Array
  uploadObjectId: string | null
  takenObjectId: string | null
  rows: number | null
  rowsTaken: number | null
  refusals: RowRefusals | null
  report: Record<string, unknown> | null
}

const partColumns = `delivery_id as "deliveryId", table_name as "table", number, state,
  media_type as "mediaType", bytes, sha256, upload_object_id as "uploadObjectId",
  taken_object_id as "takenObjectId", rows, rows_taken as "rowsTaken", refusals, report`

/** The parts of a delivery in order. */
export async function partsOfDelivery(db: Queryable, deliveryId: string): Promise<Part[]> {
  const { rows } = await db.query<Part>(
    `select ${partColumns} from gyeol.part where delivery_id = $1::uuid
     order by table_name, number`,
    [deliveryId],
  )
  return rows
}

/**
 * The typed parts whose serials are those of a delivery's keys: its own tables and those of the deliveries that rest on it,
 * as far as they have been taken in whole.
 */
export async function typedPartsOf(db: Queryable, keysDeliveryId: string): Promise<Part[]> {
  const { rows } = await db.query<Part>(
    `select ${partColumns} from gyeol.part
     where table_name not in ('', '#notices') and delivery_id in (
       select d.delivery_id from gyeol.delivery d
       where $1::uuid in (d.delivery_id, d.keys_delivery_id) and d.state = 'taken')
     order by table_name, delivery_id, number`,
    [keysDeliveryId],
  )
  return rows
}

/** Keys that stood for no identifier and were set aside when they were taken in. */
export type SetAside = { agency: string; keyType: string; keys: number }

/** How many there were in the deliveries of a project that had been taken in by a time. */
export async function keysSetAside(
  db: Queryable,
  of: { projectId: string; until: Date },
): Promise<SetAside[]> {
  const { rows } = await db.query<SetAside>(
    `select a.name as agency, f.key as "keyType", sum(f.value::bigint)::bigint as keys
     from gyeol.delivery d
     join gyeol.agency a using (agency_id)
     join gyeol.part p using (delivery_id)
     cross join lateral jsonb_each_text(p.report -> 'quarantined') as f (key, value)
     where d.project_id = $1::uuid and d.state = 'taken' and d.ended_at <= $2::timestamptz
       and p.table_name = ''
     group by a.name, f.key
     order by a.name, f.key`,
    [of.projectId, of.until],
  )
  return rows
}

/** One part, or undefined. */
export async function findPart(db: Queryable, key: PartKey): Promise<Part | undefined> {
  const { rows } = await db.query<Part>(
    `select ${partColumns} from gyeol.part
     where delivery_id = $1::uuid and table_name = $2::text and number = $3::integer`,
    [key.deliveryId, key.table, key.number],
  )
  return rows[0]
}

/** Stores an uploaded part; false if that number is taken. */
export async function insertPart(
  tx: Tx,
  part: PartKey & { mediaType: MediaType; bytes: number; sha256: Uint8Array; objectId: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into gyeol.part
       (delivery_id, table_name, number, media_type, bytes, sha256, upload_object_id)
     values ($1::uuid, $2::text, $3::integer, $4::text, $5::bigint, $6::bytea, $7::uuid)
     on conflict do nothing`,
    [
      part.deliveryId,
      part.table,
      part.number,
      part.mediaType,
      part.bytes,
      part.sha256,
      part.objectId,
    ],
  )
  return rowCount === 1
}

/** What the intake made of a part. */
export type PartTaken = PartKey & {
  state: 'taken' | 'refused'
  takenObjectId: string | null
  rows: number
  rowsTaken: number
  refusals: RowRefusals
  report: Record<string, unknown>
}

/** Records what the intake made of an uploaded part and forgets its upload. */
export async function savePartTaken(tx: Tx, part: PartTaken): Promise<void> {
  await tx.query(
    `update gyeol.part
     set state = $4::text, taken_object_id = $5::uuid, rows = $6::bigint, rows_taken = $7::bigint,
         refusals = $8::jsonb, report = $9::jsonb, upload_object_id = null
     where delivery_id = $1::uuid and table_name = $2::text and number = $3::integer
       and state = 'uploaded'`,
    [
      part.deliveryId,
      part.table,
      part.number,
      part.state,
      part.takenObjectId,
      part.rows,
      part.rowsTaken,
      JSON.stringify(part.refusals),
      JSON.stringify(part.report),
    ],
  )
}

/** The objects that parts of a delivery still name, to be ended with it. */
export async function objectsOfDelivery(db: Queryable, deliveryId: string): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select o.id from gyeol.part p
     cross join lateral unnest(array[p.upload_object_id, p.taken_object_id]) as o (id)
     where p.delivery_id = $1::uuid and o.id is not null`,
    [deliveryId],
  )
  return rows.map((row) => row.id)
}

/** The parts of keys of a delivery that are tokens now, in order. */
export async function tokenParts(db: Queryable, deliveryId: string): Promise<Part[]> {
  const parts = await partsOfDelivery(db, deliveryId)
  return parts.filter(({ table, takenObjectId }) => table === '' && takenObjectId !== null)
}

/** A taken part that is written again with less in it. */
export type ThinnedPart = PartKey & { objectId: string }

/**
 * Names the new objects of parts.
 *
 * @returns the objects that nothing names any more.
 */
export async function replaceParts(tx: Tx, parts: readonly ThinnedPart[]): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `with replaced as (
       select p.delivery_id, p.table_name, p.number, p.taken_object_id as id, n."objectId"
       from jsonb_to_recordset($1::jsonb) as n
         ("deliveryId" uuid, "table" text, number integer, "objectId" uuid)
       join gyeol.part p on p.delivery_id = n."deliveryId" and p.table_name = n."table"
         and p.number = n.number
       for update of p
     ), written as (
       update gyeol.part p set taken_object_id = replaced."objectId"
       from replaced
       where p.delivery_id = replaced.delivery_id and p.table_name = replaced.table_name
         and p.number = replaced.number
     )
     select id from replaced where id is not null`,
    [JSON.stringify(parts)],
  )
  return rows.map(({ id }) => id)
}

/**
 * Forgets the notices of deliveries under linkage keys up to this epoch.
 *
 * @returns the objects that nothing names any more.
 */
export async function forgetNotices(tx: Tx, projectId: string, epoch: number): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `with old as (
       select p.delivery_id, p.number, p.taken_object_id as id
       from gyeol.part p join gyeol.delivery d using (delivery_id)
       where d.project_id = $1::uuid and d.epoch <= $2::integer and p.table_name = '#notices'
         and p.taken_object_id is not null
       for update of p
     ), forgotten as (
       update gyeol.part p set taken_object_id = null
       from old
       where p.delivery_id = old.delivery_id and p.table_name = '#notices' and p.number = old.number
     )
     select id from old`,
    [projectId, epoch],
  )
  return rows.map(({ id }) => id)
}
