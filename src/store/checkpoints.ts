/**
 * What the signer and the verifiers read of the trail: leaves by number, their hashes, and the
 * signed checkpoints.
 */
import type { Queryable, Tx } from './pool.ts'

/**
 * A signed checkpoint. `note` is the C2SP signed note; `root` is the 32-byte tree head of the first
 * `size` leaves.
 */
export type Checkpoint = {
  size: number
  root: Buffer
  note: string
  /** `name+hash+key` of the signer. */
  verifierKey: string
  createdAt: Date
}

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

/** The newest checkpoint, or undefined before the first. */
export async function latestCheckpoint(database: Queryable): Promise<Checkpoint | undefined> {
  const found = await database.query<Checkpoint>(
    `select size, root, note, verifier_key as "verifierKey", created_at as "createdAt"
     from gyeol.audit_checkpoint order by size desc limit 1`,
  )
  return found.rows[0]
}

/** The first checkpoint that covers the leaf of this number, or undefined while none does. */
export async function checkpointCovering(
  database: Queryable,
  number: number,
): Promise<Checkpoint | undefined> {
  const found = await database.query<Checkpoint>(
    `select size, root, note, verifier_key as "verifierKey", created_at as "createdAt"
     from gyeol.audit_checkpoint where size > $1::bigint order by size limit 1`,
    [number],
  )
  return found.rows[0]
}

/**
 * Stores a signed checkpoint. @returns false if there is one of that size already: another signer
 * was faster.
 */
export async function insertCheckpoint(
  tx: Tx,
  checkpoint: { size: number; root: Uint8Array; note: string; verifierKey: string },
): Promise<boolean> {
  const stored = await tx.query(
    `insert into gyeol.audit_checkpoint (size, root, note, verifier_key)
     values ($1::bigint, $2::bytea, $3::text, $4::text) on conflict (size) do nothing`,
    [checkpoint.size, checkpoint.root, checkpoint.note, checkpoint.verifierKey],
  )
  return stored.rowCount === 1
}

function requireNoGap(rows: readonly { number: number }[], first: number): void {
  rows.forEach((row, index) => {
    if (row.number !== first + index) throw new Error('the trail has a gap')
  })
}
