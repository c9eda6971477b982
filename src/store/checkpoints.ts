/** The signed checkpoints of the trail. */
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

/** What a query selects of `gyeol.audit_checkpoint k`. */
export const checkpointColumns =
  'k.size, k.root, k.note, k.verifier_key as "verifierKey", k.created_at as "createdAt"'

/** The newest checkpoint, or undefined before the first. */
export async function latestCheckpoint(database: Queryable): Promise<Checkpoint | undefined> {
  const found = await database.query<Checkpoint>(
    `select ${checkpointColumns} from gyeol.audit_checkpoint k order by k.size desc limit 1`,
  )
  return found.rows[0]
}

/** The checkpoint of this size, or undefined. */
export async function checkpointOfSize(
  database: Queryable,
  size: number,
): Promise<Checkpoint | undefined> {
  const found = await database.query<Checkpoint>(
    `select ${checkpointColumns} from gyeol.audit_checkpoint k where k.size = $1::bigint`,
    [size],
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
