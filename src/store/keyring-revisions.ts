/** The keyring revisions that were seen, so that an older copy put back is noticed. */
import type { Queryable, Tx } from './pool.ts'

export type KeyringSide = 'api' | 'key' | 'data' | 'sign'

/** The newest revision of a side's keyring that was ever recorded, 0 if none. */
export async function newestKeyringRevision(db: Queryable, side: KeyringSide): Promise<number> {
  const { rows } = await db.query<{ revision: string | null }>(
    'select max(revision) as revision from gyeol.keyring_revision where side = $1::text',
    [side],
  )
  return Number(rows[0]?.revision ?? 0)
}

/** Records a keyring revision and its digest; true if it is new. */
export async function insertKeyringRevision(
  tx: Tx,
  keyring: { side: KeyringSide; revision: number; sha256: Uint8Array },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into gyeol.keyring_revision (side, revision, sha256)
     values ($1::text, $2::bigint, $3::bytea) on conflict do nothing`,
    [keyring.side, keyring.revision, keyring.sha256],
  )
  return rowCount === 1
}

/**
 * The digest of a side's keyring at a revision, or undefined if that revision was never recorded.
 */
export async function keyringDigest(
  db: Queryable,
  side: KeyringSide,
  revision: number,
): Promise<Buffer | undefined> {
  const { rows } = await db.query<{ sha256: Buffer }>(
    'select sha256 from gyeol.keyring_revision where side = $1::text and revision = $2::bigint',
    [side, revision],
  )
  return rows[0]?.sha256
}
