import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { appendLeaf } from '../store/audit.ts'
import { approveEpochChange, findEpochChange } from '../store/epochs.ts'
import { insertJobs } from '../store/jobs.ts'
import { inTransaction } from '../store/pool.ts'
import { type Deps, leafBy } from './deps.ts'
import { ringFor } from './ring.ts'
import { requireProject } from './show-project.ts'

/**
 * A second custodian approves another linkage key; the key side then makes it. Deliveries that are opened from then on are
 * taken in under it, and the first linkage needs every record of the spine among them.
 *
 * @returns the job that makes the key.
 * @throws {Refusal} `grant-missing`, `not-found`, `own-act`, `state-conflict`.
 */
export async function approveKeyChange(
  deps: Deps,
  caller: Caller,
  of: { project: string; epoch: number },
): Promise<string> {
  authorize(caller, 'approve-key-change')
  const account = accountOf(caller)
  const jobId = deps.randomUuid()
  await inTransaction(deps.pool, 'approve-key-change', async (tx) => {
    const { id: projectId } = await requireProject(tx, of.project)
    const change = await findEpochChange(tx, projectId, of.epoch)
    if (!change) throw new Refusal('not-found', 'No such change of the key is proposed.')
    if (change.proposedBy === account.id) {
      throw new Refusal('own-act', 'Nobody approves their own proposal. Ask another custodian.')
    }
    const job = { jobId, projectId, side: 'key' as const, kind: 'change-linkage-key' }
    await insertJobs(tx, [{ ...job, subject: { epoch: String(of.epoch) } }])
    const approved = { projectId, epoch: of.epoch, approvedBy: account.id, jobId }
    if (!(await approveEpochChange(tx, approved))) {
      throw new Refusal('state-conflict', 'The change of the key is approved already.')
    }
    await appendLeaf(tx, {
      ...leafBy(caller, 'approve-key-change', projectId),
      project: projectId,
      counts: { epoch: of.epoch },
    })
  })
  await ringFor(deps, [{ jobId, side: 'key' }])
  return jobId
}
