/** The witnesses that projects trust. */
import type { Queryable, Tx } from './pool.ts'

/** A witness of a project. `verifierKey`: `name+hash+key`. */
export type Witness = {
  name: string
  verifierKey: string
  createdAt: Date
  /** Since when its cosignatures no longer count. */
  retiredAt: Date | null
}

/** Registers a witness; false if the project has, or had, one of this key, or has one of this name. */
export async function insertWitness(
  tx: Tx,
  witness: { projectId: string; name: string; verifierKey: string; registeredBy: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into gyeol.witness (project_id, verifier_key, name, registered_by)
     values ($1::uuid, $2::text, $3::text, $4::uuid) on conflict do nothing`,
    [witness.projectId, witness.verifierKey, witness.name, witness.registeredBy],
  )
  return rowCount === 1
}

/** Retires the witness of this name; its verifier key, or undefined if the project has none. */
export async function retireWitnessOf(
  tx: Tx,
  projectId: string,
  name: string,
): Promise<string | undefined> {
  const { rows } = await tx.query<{ verifierKey: string }>(
    `update gyeol.witness set retired_at = now()
     where project_id = $1::uuid and name = $2::text and retired_at is null
     returning verifier_key as "verifierKey"`,
    [projectId, name],
  )
  return rows[0]?.verifierKey
}

/** The witnesses that a project has or had, oldest first. */
export async function witnessesOfProject(db: Queryable, projectId: string): Promise<Witness[]> {
  const { rows } = await db.query<Witness>(
    `select name, verifier_key as "verifierKey", created_at as "createdAt", retired_at as "retiredAt"
     from gyeol.witness where project_id = $1::uuid order by created_at, name`,
    [projectId],
  )
  return rows
}

/** The verifier keys under this name that any project trusts. */
export async function witnessKeysNamed(db: Queryable, name: string): Promise<string[]> {
  const { rows } = await db.query<{ verifierKey: string }>(
    `select distinct verifier_key as "verifierKey" from gyeol.witness
     where name = $1::text and retired_at is null`,
    [name],
  )
  return rows.map(({ verifierKey }) => verifierKey)
}

/** How many keys the projects trust together. */
export async function countWitnessKeys(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'select count(distinct verifier_key) as count from gyeol.witness where retired_at is null',
  )
  return rows[0]?.count ?? 0
}
