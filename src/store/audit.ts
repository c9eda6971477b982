/**
 * The rule of this file: a leaf is written in the transaction of the act it records, last, through
 * the one function that may write leaves. If it cannot be written, the act does not happen.
 */
import { type AuditEntry, entryBytes } from '../core/audit-entry.ts'
import type { Queryable, Tx } from './pool.ts'

/**
 * Appends a leaf at the database's time. From here to the end of the transaction every other writer
 * of leaves waits, so this is the last statement of an act.
 *
 * @returns the leaf's number, from 0 without gaps.
 */
export async function appendLeaf(tx: Tx, entry: Omit<AuditEntry, 'time'>): Promise<number> {
  const bytes = entryBytes({ ...entry, time: tx.now.toISOString() })
  const appended = await tx.query<{ number: number }>(
    `select gyeol.append_leaf($1::bytea, $2::uuid, $3::text, $4::text, $5::text, $6::timestamptz) as number`,
    [
      bytes,
      entry.project ?? null,
      `${entry.actor.kind}:${entry.actor.name}`,
      entry.action,
      entry.object,
      tx.now,
    ],
  )
  const row = appended.rows[0]
  if (row === undefined) throw new Error('the head of the trail is missing')
  return row.number
}

/** What an auditor may ask for. All given conditions hold at once. */
export type LeafSearch = {
  project?: string
  /** `kind:name`, as in `agency:insurer`. */
  actor?: string
  action?: string
  object?: string
  from?: Date
  /** Exclusive. */
  until?: Date
  /** Only leaves with a greater number: the last one of the page before. */
  after?: number
  /** Page size, at most 1,000. */
  limit: number
}

/** A leaf: the entry's bytes are the truth and what was hashed. */
export type Leaf = { number: number; entry: Buffer; leafHash: Buffer }

const searchRowsMax = 1_000

/** Leaves that match, in order of number. */
export async function searchLeaves(database: Queryable, search: LeafSearch): Promise<Leaf[]> {
  const found = await database.query<Leaf>(
    `select number, entry, leaf_hash as "leafHash" from gyeol.audit_leaf
     where number > $1::bigint
       and ($2::uuid is null or project_id = $2::uuid)
       and ($3::text is null or actor = $3::text)
       and ($4::text is null or action = $4::text)
       and ($5::text is null or object = $5::text)
       and ($6::timestamptz is null or at >= $6::timestamptz)
       and ($7::timestamptz is null or at < $7::timestamptz)
     order by number
     limit $8::integer`,
    [
      search.after ?? -1,
      search.project ?? null,
      search.actor ?? null,
      search.action ?? null,
      search.object ?? null,
      search.from ?? null,
      search.until ?? null,
      Math.min(search.limit, searchRowsMax),
    ],
  )
  return found.rows
}
