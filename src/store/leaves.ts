/** What the signer and the verifiers read of the trail: leaves by number, and their hashes. */
import type { Queryable } from './pool.ts'

/** How many leaves the trail has. */
export async function trailSize(database: Queryable): Promise<number> {
  const found = await database.query<{ size: number }>('select size from gyeol.audit_head')
  const row = found.rows[0]
  if (row === undefined) throw new Error('the head of the trail is missing')
  return row.size
}

/**
 * The bytes of at most `limit` leaves from number `first` on, in order: what the signer hashes
 * itself.
 *
 * @throws if a number is missing: somebody removed a leaf behind the service's back.
 */
export async function leafEntries(
  database: Queryable,
  first: number,
  limit: number,
): Promise<Buffer[]> {
  const found = await database.query<{ number: number; entry: Buffer }>(
    `select number, entry from gyeol.audit_leaf where number >= $1::bigint order by number limit $2::integer`,
    [first, limit],
  )
  requireNoGap(found.rows, first)
  return found.rows.map((row) => row.entry)
}

/**
 * The stored hashes of leaves `first` to `first + count - 1`, 32 bytes each, one after the other:
 * for proofs.
 *
 * @throws if one is missing.
 */
export async function leafHashes(
  database: Queryable,
  first: number,
  count: number,
): Promise<Buffer> {
  const found = await database.query<{ hashes: Buffer | null; count: number }>(
    `select string_agg(leaf_hash, ''::bytea order by number) as hashes, count(*) as count
     from gyeol.audit_leaf where number >= $1::bigint and number < $1::bigint + $2::bigint`,
    [first, count],
  )
  const row = found.rows[0]
  if (row?.count !== count) throw new Error('the trail has a gap')
  return row.hashes ?? Buffer.alloc(0)
}

function requireNoGap(rows: readonly { number: number }[], first: number): void {
  rows.forEach((row, index) => {
    if (row.number !== first + index) throw new Error('the trail has a gap')
  })
}
