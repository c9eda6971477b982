/** The rows that name the vault's objects. An object without a live row here is an orphan; the sweep removes it. */
import type { Queryable, Tx } from './pool.ts'

export type ObjectKind =
  | 'key-upload'
  | 'table-upload'
  | 'tokens'
  | 'typed-part'
  | 'persons'
  | 'link-map'
  | 'key-index'
  | 'key-map'
  | 'person-changes'
  | 'cohort-part'
  | 'release-persons'
  | 'release-file'
  | 'desk-file'
  | 'extraction'
  | 'questions'
  | 'case-list'
  | 'doubts'

export type VaultObject = {
  id: string
  projectId: string
  kind: ObjectKind
  sealingKeyId: string
  bytes: number
}

/** Names sealed objects. */
export async function insertObjects(tx: Tx, objects: VaultObject[]): Promise<void> {
  await tx.query(
    `insert into gyeol.vault_object (object_id, project_id, kind, sealing_key_id, bytes)
     select o.id, o."projectId", o.kind, o."sealingKeyId", o.bytes
     from jsonb_to_recordset($1::jsonb)
       as o (id uuid, "projectId" uuid, kind text, "sealingKeyId" uuid, bytes bigint)`,
    [JSON.stringify(objects)],
  )
}

/** Ends objects: from this commit on nothing may open them, and the sweep removes what is left of them. */
export async function endObjects(tx: Tx, objectIds: string[]): Promise<void> {
  await tx.query(
    `update gyeol.vault_object set destroyed_at = now()
     where object_id = any($1::uuid[]) and destroyed_at is null`,
    [objectIds],
  )
}

/** Which of these ids name a live object. */
export async function liveObjects(db: Queryable, objectIds: string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ id: string }>(
    `select object_id as id from gyeol.vault_object
     where object_id = any($1::uuid[]) and destroyed_at is null`,
    [objectIds],
  )
  return new Set(rows.map((row) => row.id))
}
