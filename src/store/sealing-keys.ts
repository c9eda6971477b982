/** The public halves of the sealing keys. */
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
     where side = $1::text and project_id is not distinct from $2::uuid and release_id is null
       and retired_at is null`,
    [side, projectId ?? null],
  )
  return rows[0]
}

/** The key of one release alone on a side: destroyed with it. */
export async function releaseSealingKey(
  db: Queryable,
  side: 'data' | 'desk',
  releaseId: string,
): Promise<SealingKey | undefined> {
  const { rows } = await db.query<SealingKey>(
    `select sealing_key_id as id, public_key as "publicKey" from gyeol.sealing_key
     where side = $1::text and release_id = $2::uuid and retired_at is null`,
    [side, releaseId],
  )
  return rows[0]
}

/** Publishes a side's key; does nothing if it is published already. */
export async function insertSealingKey(
  tx: Tx,
  key: SealingKey & { side: SealingSide; projectId?: string; releaseId?: string },
): Promise<void> {
  await tx.query(
    `insert into gyeol.sealing_key (sealing_key_id, project_id, release_id, side, public_key)
     values ($1::uuid, $2::uuid, $3::uuid, $4::text, $5::bytea)
     on conflict (sealing_key_id) do nothing`,
    [key.id, key.projectId ?? null, key.releaseId ?? null, key.side, key.publicKey],
  )
}

/** From now on nothing is sealed to this key any more; what was, can still be opened. */
export async function retireSealingKey(tx: Tx, sealingKeyId: string): Promise<void> {
  await tx.query(
    'update gyeol.sealing_key set retired_at = now() where sealing_key_id = $1::uuid and retired_at is null',
    [sealingKeyId],
  )
}

/** Records that the private halves of a release's keys on a side are gone; gives their ids, those gone before included. */
export async function saveReleaseKeysDestroyed(
  tx: Tx,
  side: 'data' | 'desk',
  releaseId: string,
): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `update gyeol.sealing_key
     set destroyed_at = coalesce(destroyed_at, now()), retired_at = coalesce(retired_at, now())
     where side = $1::text and release_id = $2::uuid returning sealing_key_id as id`,
    [side, releaseId],
  )
  return rows.map(({ id }) => id)
}

/** Whether a release has a key on a side whose private half is still there. */
export async function hasReleaseKey(
  db: Queryable,
  side: 'data' | 'desk',
  releaseId: string,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from gyeol.sealing_key
     where side = $1::text and release_id = $2::uuid and destroyed_at is null`,
    [side, releaseId],
  )
  return (rowCount ?? 0) > 0
}

/** The ids of every key that a release has or had on a side. */
export async function releaseKeyIds(
  db: Queryable,
  side: 'data' | 'desk',
  releaseId: string,
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select sealing_key_id as id from gyeol.sealing_key
     where side = $1::text and release_id = $2::uuid order by sealing_key_id`,
    [side, releaseId],
  )
  return rows.map(({ id }) => id)
}
