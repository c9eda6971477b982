import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { appendLeaf } from '../store/audit.ts'
import { insertJobs, type NewJob } from '../store/jobs.ts'
import { inTransaction } from '../store/pool.ts'
import { approveProposedProject } from '../store/projects.ts'
import { type Deps, leafBy } from './deps.ts'
import { ringFor } from './ring.ts'
import { requireProject } from './show-project.ts'

/**
 * A second person approves a proposed project. Both sides then make its keys, and it opens when both have.
 *
 * @throws {Refusal} `grant-missing`, `not-found`, `own-act`, `state-conflict`.
 */
export async function approveProject(deps: Deps, caller: Caller, projectId: string): Promise<void> {
  authorize(caller, 'approve-project')
  const account = accountOf(caller)
  const jobs = await inTransaction(deps.pool, 'approve-project', async (tx) => {
    const project = await requireProject(tx, projectId)
    if (project.createdBy === account.id) {
      throw new Refusal('own-act', 'Nobody approves their own proposal. Ask another custodian.')
    }
    if (!(await approveProposedProject(tx, project.id, account.id))) {
      throw new Refusal('state-conflict', 'The project is already approved.')
    }
    const wanted = (['key', 'data'] as const).map(
      (side): NewJob => ({
        jobId: deps.randomUuid(),
        projectId: project.id,
        side,
        kind: 'make-project-keys',
        subject: { project: project.id },
      }),
    )
    await insertJobs(tx, wanted)
    await appendLeaf(tx, { ...leafBy(caller, 'approve-project', project.id), project: project.id })
    return wanted
  })
  await ringFor(deps, jobs)
}
