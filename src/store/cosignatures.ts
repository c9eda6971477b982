/** The cosignatures that witnesses have given under the checkpoints of the trail. */
import { type Checkpoint, checkpointColumns } from './checkpoints.ts'
import type { Queryable } from './pool.ts'

/** Stores a cosignature. @returns false if this witness has cosigned the checkpoint already: the first one stays. */
export async function insertCosignature(
  db: Queryable,
  cosignature: { size: number; verifierKey: string; line: string; signedAt: Date },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into gyeol.cosignature (size, verifier_key, line, signed_at)
     values ($1::bigint, $2::text, $3::text, $4::timestamptz) on conflict (size, verifier_key) do nothing`,
    [cosignature.size, cosignature.verifierKey, cosignature.line, cosignature.signedAt],
  )
  return rowCount === 1
}

/**
 * The signature lines that witnesses have added under a checkpoint, in the order in which they came.
 *
 * @param projectId - only those of the witnesses of this project; of all that any project trusts when absent.
 */
export async function cosignatureLines(
  db: Queryable,
  size: number,
  projectId?: string,
): Promise<string[]> {
  const { rows } = await db.query<{ line: string }>(
    `select c.line from gyeol.cosignature c
     where c.size = $1::bigint and exists (
       select from gyeol.witness w where w.verifier_key = c.verifier_key and w.retired_at is null
         and ($2::uuid is null or w.project_id = $2::uuid))
     order by c.created_at, c.verifier_key`,
    [size, projectId ?? null],
  )
  return rows.map(({ line }) => line)
}

/** The newest checkpoint of more leaves that some witness has cosigned; undefined if there is none. */
export async function newestCosigned(
  db: Queryable,
  sizeBefore: number,
): Promise<Checkpoint | undefined> {
  const { rows } = await db.query<Checkpoint>(
    `select ${checkpointColumns} from gyeol.audit_checkpoint k
     where k.size > $1::bigint and exists (select from gyeol.cosignature c where c.size = k.size)
     order by k.size desc limit 1`,
    [sizeBefore],
  )
  return rows[0]
}

/**
 * Of the checkpoints that cover a leaf, the first of those that most witnesses of a project have cosigned, perhaps none of
 * them; undefined while no checkpoint covers the leaf.
 */
export async function bestCosigned(
  db: Queryable,
  { projectId, leaf }: { projectId: string; leaf: number },
): Promise<(Checkpoint & { cosignatures: number }) | undefined> {
  const { rows } = await db.query<Checkpoint & { cosignatures: number }>(
    `with cosigned as (
       select c.size, count(*) as cosignatures
       from gyeol.cosignature c join gyeol.witness w using (verifier_key)
       where w.project_id = $1::uuid and w.retired_at is null and c.size > $2::bigint
       group by c.size),
     covering as (
       (select size, cosignatures from cosigned order by cosignatures desc, size limit 1)
       union all
       (select size, 0 from gyeol.audit_checkpoint where size > $2::bigint order by size limit 1))
     select ${checkpointColumns}, cosignatures from covering join gyeol.audit_checkpoint k using (size)
     order by cosignatures desc limit 1`,
    [projectId, leaf],
  )
  return rows[0]
}
