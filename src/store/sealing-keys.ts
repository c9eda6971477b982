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

/** From now on nothing is sealed to this key any more; what was, can still be opened. */
export async function retireSealingKey(tx: Tx, sealingKeyId: string): Promise<void> {
  await tx.query(
    'update gyeol.sealing_key set retired_at = now() where sealing_key_id = $1::uuid and retired_at is null',
    [sealingKeyId],
  )
}
