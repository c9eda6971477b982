/** Changes of a project's linkage key. */
import type { Queryable, Tx } from './pool.ts'

export type EpochChange = {
  projectId: string
  /** The epoch that it brings, from 2. */
  epoch: number
  proposedBy: string
  approvedBy: string | null
}

const columns = `project_id as "projectId", epoch, proposed_by as "proposedBy", approved_by as "approvedBy"`

/** The change that brings this epoch, or undefined. */
export async function findEpochChange(
  db: Queryable,
  projectId: string,
  epoch: number,
): Promise<EpochChange | undefined> {
  const { rows } = await db.query<EpochChange>(
    `select ${columns} from gyeol.epoch_change where project_id = $1::uuid and epoch = $2::integer`,
    [projectId, epoch],
  )
  return rows[0]
}

/** Stores a proposal; false if there is one already. */
export async function insertEpochChange(
  tx: Tx,
  change: { projectId: string; epoch: number; proposedBy: string; reason: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into gyeol.epoch_change (project_id, epoch, proposed_by, reason)
     values ($1::uuid, $2::integer, $3::uuid, $4::text) on conflict do nothing`,
    [change.projectId, change.epoch, change.proposedBy, change.reason],
  )
  return rowCount === 1
}

/** Approves a proposal; false if it is approved already. */
export async function approveEpochChange(
  tx: Tx,
  change: { projectId: string; epoch: number; approvedBy: string; jobId: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update gyeol.epoch_change
     set approved_by = $3::uuid, approved_at = now(), job_id = $4::uuid
     where project_id = $1::uuid and epoch = $2::integer and approved_by is null`,
    [change.projectId, change.epoch, change.approvedBy, change.jobId],
  )
  return rowCount === 1
}

/** From here on deliveries are opened under this epoch. */
export async function beginEpoch(tx: Tx, projectId: string, epoch: number): Promise<void> {
  await tx.query(
    'update gyeol.project set epoch = $2::integer where project_id = $1::uuid and epoch < $2::integer',
    [projectId, epoch],
  )
}

/** The keys up to this epoch are destroyed. */
export async function retireEpochs(tx: Tx, projectId: string, epoch: number): Promise<void> {
  await tx.query(
    'update gyeol.project set retired_epoch = $2::integer where project_id = $1::uuid',
    [projectId, epoch],
  )
}
