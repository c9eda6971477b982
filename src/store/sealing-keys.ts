/** The public halves of the sealing keys, and the keyring revisions that were seen. */
import type { Queryable, Tx } from './pool.ts'

export type SealingKey = { id: string; publicKey: Uint8Array }
export type SealingSide = 'key' | 'data' | 'desk'

/** The key to which new objects of a side are sealed; the desk's key belongs to no project. */
export async function currentSealingKey(
  db: Queryable,
  side: SealingSide,
  projectId?: string,
): Promise<SealingKey | undefined> {
  const { rows } = await db.query<SealingKey>(
    `select sealing_key_id as id, public_key as "publicKey" from gyeol.sealing_key
     where side = $1::text and project_id is not distinct from $2::uuid and retired_at is null`,
    [side, projectId ?? null],
  )
  return rows[0]
}

/** Publishes a side's key; does nothing if it is published already. */
export async function insertSealingKey(
  tx: Tx,
  key: SealingKey & { side: SealingSide; projectId?: string },
): Promise<void> {
  await tx.query(
    `insert into gyeol.sealing_key (sealing_key_id, project_id, side, public_key)
     values ($1::uuid, $2::uuid, $3::text, $4::bytea) on conflict (sealing_key_id) do nothing`,
    [key.id, key.projectId ?? null, key.side, key.publicKey],
  )
}

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
